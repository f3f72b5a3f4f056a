"""What a person does with an installation: run, look, demonstrate.

Each command of the CLI is a function here, usable without it. Nothing here holds logic of a layer.
"""
