"""Commands about contracts: infer, test, plan, deploy."""
