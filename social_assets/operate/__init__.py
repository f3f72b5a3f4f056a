"""What a person does with an installation: run, inspect, demonstrate.

Each command of the CLI calls a function here, which can be used without it. The logic of layers is
not here.
"""
