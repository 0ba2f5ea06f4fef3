"""The generated pages of the documentation site, and the checks on the built site."""
