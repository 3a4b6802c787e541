"""The declaration of a use case: one YAML file, read, checked and described from one set of models."""
