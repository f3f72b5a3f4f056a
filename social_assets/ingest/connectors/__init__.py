"""Connectors: declarations of platform APIs, and the one engine that collects from them.

A platform is one module in `platforms/`, or in the folder of SOCIAL_ASSETS_CONNECTORS.
"""
