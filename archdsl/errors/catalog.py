"""Every way to be wrong, one row each: a stable code, and the sentence that heads its messages.

E0xx text and notation, E1xx names, arguments and values, E2xx shapes, E3xx structure, E4xx limits,
E5xx files, E6xx targets, E7xx checkpoints. W is for warnings, of the same hundreds: what is legal, and surely not
meant. A code never changes its meaning.
"""

from archdsl.errors.diagnostic import Rule

# Text and notation
SYNTAX = Rule("E001", "invalid syntax")
MIXED = Rule("E002", "`->` beside another operator needs parentheses")
YAML = Rule("E003", "this YAML cannot be read as a spec")
DOCUMENT = Rule("E004", "this does not belong in a spec")
DUPLICATE = Rule("E005", "already defined")
EDITION = Rule("E006", "unknown edition of the language")

# Names, arguments and values
UNKNOWN_NAME = Rule("E101", "unknown name")
UNKNOWN_PARAMETER = Rule("E102", "unknown parameter")
MISSING_ARGUMENT = Rule("E103", "an argument is missing")
REPEATED_ARGUMENT = Rule("E104", "an argument is given twice")
WRONG_TYPE = Rule("E105", "a value of the wrong type")
OUT_OF_RANGE = Rule("E106", "a value out of range")
ARITHMETIC = Rule("E107", "this cannot be computed")
BY_NAME_ONLY = Rule("E108", "too many arguments by position")
NOT_A_BLOCK = Rule("E109", "a block is needed here")
NOT_A_TENSOR = Rule("E110", "a tensor is needed here")
UNUSED = Rule("E111", "this has no effect")
NO_INPUT = Rule("E112", "there is no `x` here")

# Shapes
NOT_A_MAP = Rule("E201", "a feature map is needed here")
UNEQUAL_MAPS = Rule("E202", "these tensors do not fit together")
GROUPS = Rule("E203", "groups must divide the channels")
EVEN_KERNEL = Rule("E204", "an even kernel has no `same` padding")
KERNEL_TOO_LARGE = Rule("E205", "the window does not fit into the map")
SPLIT = Rule("E206", "the channels cannot be split like this")
REDUCTION = Rule("E207", "a stage does not reduce as it says")
LIST_NEEDED = Rule("E208", "a list of tensors is needed here")
BAD_SHAPE = Rule("E209", "the shape cannot be changed like this")
EXPECT = Rule("E210", "the network is not what `expect` says")
NOT_FLAT = Rule("E211", "flattened features are needed here")

# Structure
APPLIED_TWICE = Rule("E301", "a named block is applied at two places")
ESCAPES = Rule("E302", "a tensor is used outside its body")
SAME_NAME = Rule("E303", "two modules would have one name")
NO_RESULT = Rule("E304", "a body has no result")
CYCLE = Rule("E305", "this leads back to itself")
NO_SUCH_PARENT = Rule("E306", "no such backbone to extend")
SHARED = Rule("E307", "weights cannot be shared like this")
NO_BACKBONE = Rule("E308", "no backbone to build")

# Limits
TOO_MANY_OPS = Rule("E401", "the network is too large")
TOO_DEEP = Rule("E402", "nested too deeply")
TOO_MANY_TURNS = Rule("E403", "too many loop iterations")
TOO_LARGE = Rule("E404", "the text is too large")

# Files
FILE = Rule("E501", "the file cannot be read")
OUTSIDE = Rule("E502", "an import leaves the file's folder")
OUTPUT = Rule("E503", "the output cannot be written")
USAGE = Rule("E504", "invalid request")

# Targets
UNSUPPORTED = Rule("E601", "not supported by this target")
MISSING_PACKAGE = Rule("E602", "a package is missing")
UNFAITHFUL = Rule("E603", "the module does not compute what the spec says")

# Checkpoints
CHECKPOINT = Rule("E701", "this is not a checkpoint that can be read")
UNSAFE = Rule("E702", "the checkpoint is refused, as reading it could run code")
NO_WEIGHTS = Rule("E703", "there are no weights here")
UNFIT = Rule("E704", "the weights do not fit the network")
NAMING = Rule("E705", "no known naming scheme fits")
SEVERAL = Rule("E706", "several parts of the checkpoint fit the network")

# Warnings: of text, of names, of shapes, of structure
IDLE_ALLOWANCE = Rule("W001", "this silences nothing")
UNUSED_DEFINITION = Rule("W101", "a definition that nothing uses")
UNREAD_PARAMETER = Rule("W102", "a parameter that nothing reads")
HIDING = Rule("W103", "a name that hides another meaning")
MOMENTUM = Rule("W104", "a momentum by another library's convention")
DROPS_ALL = Rule("W105", "dropout that drops nearly everything")
ROWS_LEFT_OUT = Rule("W201", "rows or columns that no window reads")
CHANNELS_LAST = Rule("W202", "an input that looks like height x width x channels")
POWERS = Rule("W203", "a power that negative values do not have")
NO_CHANGE = Rule("W301", "a part of the network that changes nothing")
IDLE_BIAS = Rule("W302", "a bias that a norm cancels")
NARROW_GATE = Rule("W303", "a gate of next to no features")
CONSTANT = Rule("W304", "an op that gives the same whatever it reads")
