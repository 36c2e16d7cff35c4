"""This router sends requests through an nginx of our own, beside whatever the machine runs."""

from pushdeploy.route.choice import RouterGround
from pushdeploy.route.routers.nginx.rendering import shared_front
from pushdeploy.route.routers.nginx.router import Nginx
from pushdeploy.templating import Templates


def nginx(ground: RouterGround) -> Nginx:
    """Make the router, with its files in ``<home>/nginx``; templates of the operator's win."""
    root, settings = ground.home.root, ground.settings
    return Nginx(root, shared_front(settings), Templates(root), settings.nginx)


ROUTER = nginx
