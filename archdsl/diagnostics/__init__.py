"""Source texts, spans, findings, their one renderer, and suggestions. Imports nothing of the package."""

from archdsl.diagnostics import catalog as catalog
from archdsl.diagnostics.diagnostic import ArchError as ArchError
from archdsl.diagnostics.diagnostic import Diagnostic as Diagnostic
from archdsl.diagnostics.diagnostic import DiagnosticKind as DiagnosticKind
from archdsl.diagnostics.diagnostic import Note as Note
from archdsl.diagnostics.diagnostic import Text as Text
from archdsl.diagnostics.diagnostic import UnlocatedError as UnlocatedError
from archdsl.diagnostics.source import Source as Source
from archdsl.diagnostics.source import Span as Span
from archdsl.diagnostics.suggest import did_you_mean as did_you_mean
from archdsl.diagnostics.suggest import listed as listed
from archdsl.diagnostics.suggest import nearest as nearest
from archdsl.diagnostics.suggest import plural as plural
