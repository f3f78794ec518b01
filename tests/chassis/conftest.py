from tests.support.toy_fixtures import relief, relief_databases, toy, toy_databases, toy_on_bus

__all__ = ["relief", "relief_databases", "toy", "toy_databases", "toy_on_bus"]
