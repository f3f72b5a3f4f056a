"""The reasons for which a contract is refused when it is declared."""
