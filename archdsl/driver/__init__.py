"""From a name or a text to a graph: load, elaborate, verify, and nothing more. `checking` says all that is wrong."""

from archdsl.driver.compiling import compile as compile
from archdsl.driver.compiling import counted as counted
from archdsl.driver.compiling import elaborated as elaborated
from archdsl.driver.loading import Spec as Spec
from archdsl.driver.loading import load as load
from archdsl.driver.loading import loads as loads
from archdsl.driver.loading import opened as opened
from archdsl.driver.shipped import SHIPPED as SHIPPED
