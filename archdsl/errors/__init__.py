"""Source texts, spans, findings, their one renderer, and suggestions. Imports nothing of the package."""

from archdsl.errors import catalog as catalog
from archdsl.errors.diagnostic import ArchError as ArchError
from archdsl.errors.diagnostic import Diagnostic as Diagnostic
from archdsl.errors.diagnostic import Note as Note
from archdsl.errors.diagnostic import Rule as Rule
from archdsl.errors.source import Source as Source
from archdsl.errors.source import Span as Span
from archdsl.errors.suggest import did_you_mean as did_you_mean
from archdsl.errors.suggest import listed as listed
from archdsl.errors.suggest import nearest as nearest
