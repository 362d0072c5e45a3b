"""The JSON Schema of the YAML notation, by which editors complete, explain and check."""

from archdsl.frontend.schema.document import schema as schema
