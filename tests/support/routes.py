"""The routes of the API, from their modules."""

from fastapi.routing import APIRoute

from hub.api import server

ROUTES = [route for module in server.ROUTES for route in module.router.routes if isinstance(route, APIRoute)]
