"""A service that calls the endpoint and was given no other way to it."""

from .dynamodb import DynamoDB
from .world import Service


class Reaching(Service):
    """It gets through as its connections and its resolvers let it."""

    def reach(self) -> float:
        """The share of its calls that get through."""
        dynamodb = self.of("dynamodb")
        assert isinstance(dynamodb, DynamoDB)
        return dynamodb.reach()
