"""The graph: what it is made of, how it is walked and checked. `jsonform` writes it down."""

from archdsl.graph.ir import HELD as HELD
from archdsl.graph.ir import ROWS as ROWS
from archdsl.graph.ir import Argument as Argument
from archdsl.graph.ir import Child as Child
from archdsl.graph.ir import Graph as Graph
from archdsl.graph.ir import Map as Map
from archdsl.graph.ir import Origin as Origin
from archdsl.graph.ir import Ref as Ref
from archdsl.graph.ir import Run as Run
from archdsl.graph.ir import Scope as Scope
from archdsl.graph.ir import Section as Section
from archdsl.graph.ir import Spread as Spread
from archdsl.graph.ir import Step as Step
from archdsl.graph.ir import Totals as Totals
from archdsl.graph.ir import called_elsewhere as called_elsewhere
from archdsl.graph.ir import dealt as dealt
from archdsl.graph.ir import distinct as distinct
from archdsl.graph.ir import each_shape as each_shape
from archdsl.graph.ir import each_value as each_value
from archdsl.graph.ir import gathered as gathered
from archdsl.graph.ir import is_list as is_list
from archdsl.graph.ir import needed as needed
from archdsl.graph.ir import op_of as op_of
from archdsl.graph.ir import values_read as values_read
from archdsl.graph.verify import InvalidGraph as InvalidGraph
from archdsl.graph.verify import verify as verify
