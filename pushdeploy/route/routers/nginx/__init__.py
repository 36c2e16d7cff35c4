"""Tasks → HTTP through an nginx of our own, beside whatever the machine already runs."""

from pushdeploy.route.routers.nginx.router import Nginx

ROUTER = Nginx
