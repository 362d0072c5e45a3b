"""The graph: what it is made of, how it is walked and checked. `jsonform` writes it down."""

from archdsl.graph.scope import HELD as HELD
from archdsl.graph.scope import ROWS as ROWS
from archdsl.graph.scope import Argument as Argument
from archdsl.graph.scope import Child as Child
from archdsl.graph.scope import Graph as Graph
from archdsl.graph.scope import Map as Map
from archdsl.graph.scope import Origin as Origin
from archdsl.graph.scope import Ref as Ref
from archdsl.graph.scope import Run as Run
from archdsl.graph.scope import Scope as Scope
from archdsl.graph.scope import Section as Section
from archdsl.graph.scope import Spread as Spread
from archdsl.graph.scope import Step as Step
from archdsl.graph.scope import Totals as Totals
from archdsl.graph.scope import distinct as distinct
from archdsl.graph.values import dealt as dealt
from archdsl.graph.values import each_shape as each_shape
from archdsl.graph.values import each_value as each_value
from archdsl.graph.values import gathered as gathered
from archdsl.graph.values import is_list as is_list
from archdsl.graph.values import needed as needed
from archdsl.graph.values import values_read as values_read
from archdsl.graph.verify import Broken as Broken
from archdsl.graph.verify import verify as verify
