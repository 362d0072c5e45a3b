"""From a name or a text to a graph: load, elaborate, verify. `validation` reports everything wrong with a text."""

from archdsl.driver.library import SHIPPED as SHIPPED
from archdsl.driver.loading import compile as compile
from archdsl.driver.loading import counted as counted
from archdsl.driver.loading import elaborated as elaborated
from archdsl.driver.loading import load as load
from archdsl.driver.loading import loads as loads
from archdsl.driver.loading import memory as memory
from archdsl.driver.loading import opened as opened
from archdsl.driver.network import Network as Network
