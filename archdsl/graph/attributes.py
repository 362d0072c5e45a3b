"""Names of submodules: those that Python and `nn.Module` leave free."""

from __future__ import annotations

from keyword import iskeyword

TAKEN = """
T_destination add_module append apply bfloat16 buffers call_super_init children compile cpu cuda double
dump_patches eval extend extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half
initialize insert ipu load_state_dict modules mtia named_buffers named_children named_modules named_parameters
parameters pop register_backward_hook register_buffer register_forward_hook register_forward_pre_hook
register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook
register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook
register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory state_dict to to_empty
train training type xpu zero_grad self
"""
MODULE_ATTRIBUTES = frozenset(TAKEN.split())
"""What `nn.Module` and `nn.Sequential` (and the emitted network) have under these names already."""


def attribute_name(name: str) -> str:
    """A name that Python and `nn.Module` leave free; both keep those with an underscore in front for themselves."""
    if not (iskeyword(name) or name in MODULE_ATTRIBUTES or name.startswith("_")):
        return name
    mangled = name.startswith("__") and not f"{name}_".endswith("__")
    return f"{name}__" if mangled else f"{name}_"
