"""Words of Heroku and Dokku that are no commands here: what to type instead, or why there is none.

``APP`` in a text becomes the name of the app that was meant, where it is known.
"""

from collections.abc import Mapping

_REVIEW = (
    "apps:clone APP APP-review makes one, apps:destroy APP-review --confirm APP-review removes it"
)
_ROUTES = "nginx is pushdeploy's own: apps:set APP shows what can be set"
_TAGS = "releases:rollback APP vN goes back; pipelines:promote brings a slug to another app"
_TLS = "TLS is served by a proxy in front of this server until it serves TLS itself"
_DATABASE = (
    "databases are not managed here: let one run anywhere, and"
    " config:set APP DATABASE_URL=postgres://USER:PASSWORD@HOST/NAME"
)
_SQL = (
    "ssh -t deploy run APP 'psql \"$DATABASE_URL\"' where the app's image has psql;"
    " else psql on your machine, with the URL of: config:get APP DATABASE_URL"
)
_PLUGIN = "there are no plugins: help shows what is built in"
_BUILDER = (
    "the language is found by the app's files; a Dockerfile in the repository replaces all of it"
)
_LOGS = "logs APP -t follows them; what an app logs is not sent anywhere else"
_CONTAINER = "a Dockerfile at the top of the repository, and git push deploy main"
_SERVERS_LOG = "the server's log has what it does: journalctl -u pushdeploy"
_SCHEDULE = "cron of the machine can do it: ssh deploy run APP COMMAND"
_CHECKS = (
    "write them into app.json: healthchecks; boot-timeout of apps:set APP is how long they take"
)
_NETWORK = "each app is alone in its network; what it offers goes through web and its domains"
_MEMBERS = "keys:add NAME < NAME.pub lets a person in, keys:list shows who is"
_REMOTE = "git remote add deploy deploy:APP, on your machine"
_SHELL = "ssh -t deploy run APP bash"
_STOP = "ps:stop APP stops it and shows a page that says so; ps:start APP brings it back"
_DOMAIN = "domain of pushdeploy.toml on the server is what all apps are below"
_IMAGE = "a Dockerfile with FROM IMAGE in a repository, and git push deploy main"
_AFTER_DEPLOY = "hooks/post-deploy below the server's home is called after each deploy"
_LIMITS = "PUSHDEPLOY_TASK_MEMORY_BYTES and PUSHDEPLOY_TASK_CPUS on the server limit each process"

EXACT: Mapping[str, str] = {
    "addons": _DATABASE,
    "apps:delete": "apps:destroy APP --confirm APP",
    "apps:errors": "logs APP; releases APP shows which release failed",
    "apps:favorites": "apps:list shows all",
    "apps:join": _MEMBERS,
    "apps:leave": "keys:remove NAME",
    "apps:remove": "apps:destroy APP --confirm APP",
    "apps:open": "url APP prints the address",
    "apps:stacks": "apps:info APP names its stack",
    "bash": _SHELL,
    "builds": "releases APP",
    "builds:info": "releases:output APP has the output of a build",
    "builds:list": "releases APP",
    "builds:output": "releases:output APP",
    "certs:auto": _TLS,
    "checks:disable": "disks:set APP cutover=exclusive stops the old version first, with a disk",
    "ci": "git push deploy main, from any CI with a key of keys:add",
    "config:add": "config:set APP KEY=VALUE",
    "config:bundle": "config:export APP --format json",
    "config:edit": "config:export APP --format env > .env, edit it, config:import APP < .env",
    "config:list": "config:show APP",
    "config:pull": "config:export APP --format env > .env",
    "config:push": "config:import APP < .env",
    "config:remove": "config:unset APP KEY",
    "console": _SHELL,
    "create": "apps:create APP",
    "delete": "apps:destroy APP --confirm APP",
    "deploy": "git push deploy main",
    "destroy": "apps:destroy APP --confirm APP",
    "domains:add-global": _DOMAIN,
    "domains:set-global": _DOMAIN,
    "domains:clear-global": _DOMAIN,
    "domains:remove-global": _DOMAIN,
    "domains:disable": "ps:scale APP web=0 takes an app off its host names",
    "domains:enable": "ps:scale APP web=1 brings an app back to its host names",
    "domains:reset": "domains:clear APP",
    "domains:update": "domains:add APP HOST",
    "domains:wait": "domains:add APP HOST is in force when it returns",
    "dyno": "ps APP",
    "dyno:kill": "ps:restart APP web.1",
    "dyno:resize": _LIMITS,
    "dyno:restart": "ps:restart APP",
    "dyno:scale": "ps:scale APP web=2",
    "dyno:stop": "ps:stop APP",
    "enter": _SHELL,
    "env": "config APP",
    "events": "audit --app APP shows who asked for what, releases APP what came of it",
    "exec": _SHELL,
    "git:allow-host": "ssh asks nothing of known hosts here: no build fetches by ssh",
    "git:clone": "git clone deploy:APP, on your machine",
    "git:from-archive": "git push deploy main is how code comes; unpack it and commit it first",
    "git:from-image": _IMAGE,
    "git:initialize": "apps:create APP",
    "git:load-image": _IMAGE,
    "git:remote": _REMOTE,
    "git:sync": "git push deploy main, from a clone of that repository",
    "git:unlock": "builds:cancel APP stops a deploy that is going on",
    "info": "apps:info APP",
    "join": _MEMBERS,
    "list": "apps:list",
    "local": "the Procfile's command on your machine: web: … is a shell command",
    "lock": "apps:lock APP",
    "log": "logs APP",
    "login": "your ssh key is your login: whoami shows whose it is",
    "logout": "your ssh key is your login: keys:remove NAME takes it away",
    "logs:drain": _LOGS,
    "logs:report": _LOGS,
    "logs:set": _LOGS,
    "logs:failed": "releases:output APP",
    "ls": "apps:list",
    "maintenance": _STOP,
    "nginx:access-logs": "nginx/logs/access.log below the server's home has a line of each request",
    "nginx:error-logs": "nginx/logs/error.log below the server's home",
    "open": "url APP prints the address",
    "pipelines:connect": "git push deploy main, from any CI with a key of keys:add",
    "pipelines:open": "pipelines:info NAME",
    "pipelines:setup": "pipelines:create NAME shop-staging shop",
    "pipelines:transfer": "keys:add NAME < NAME.pub lets a person in",
    "promote": "pipelines:promote APP",
    "proxy:build-config": "nothing to do: routes follow the apps by themselves",
    "proxy:disable": "ps:scale APP web=0",
    "proxy:enable": "ps:scale APP web=1",
    "ps:autoscale": "ps:scale APP web=2",
    "ps:autoscale:disable": "ps:scale APP web=2",
    "ps:autoscale:enable": "ps:scale APP web=2",
    "ps:copy": "ssh deploy run APP cat FILE > FILE",
    "ps:exec": _SHELL,
    "ps:inspect": "ps APP --format json",
    "ps:kill": "ps:restart APP web.1",
    "ps:resize": _LIMITS,
    "ps:restore": "nothing to do: the server starts what should run when it starts",
    "ps:retire": "nothing to do: old processes go when their last request has ended",
    "ps:set": "apps:set APP stop-grace=30s, boot-timeout=1m",
    "ps:type": _LIMITS,
    "ps:wait": "ps:restart APP returns when the new processes serve",
    "psql": _SQL,
    "rename": "apps:rename APP NEW",
    "repo:gc": "releases:gc removes slugs that nothing needs",
    "repo:purge-cache": "ps:rebuild APP builds again",
    "resource": _LIMITS,
    "restart": "ps:restart APP",
    "run:detached": "run APP COMMAND, in a session of tmux or with nohup on your machine",
    "run:inside": _SHELL,
    "run:list": "ps APP",
    "run:retire": "ps:stop APP run.N",
    "run:logs": "run APP COMMAND prints what it says",
    "run:stop": "ps:stop APP run.N",
    "scale": "ps:scale APP web=2",
    "shell": _SHELL,
    "ssh": _SHELL,
    "stack": "apps:info APP names its stack; PUSHDEPLOY_STACK on the server is that of new builds",
    "start": "ps:start APP",
    "status": "ps APP",
    "stop": "ps:stop APP",
    "storage:report": "disks:list APP",
    "storage:create": "disks:attach APP NAME /data",
    "tail": "logs APP -t",
    "trace": _SERVERS_LOG,
    "trace:off": _SERVERS_LOG,
    "trace:on": _SERVERS_LOG,
    "unlock": "apps:unlock APP",
    "users": _MEMBERS,
}
NOUNS: Mapping[str, str] = {
    "access": _MEMBERS,
    "acl": _MEMBERS,
    "addons": _DATABASE,
    "app-json": "app.json is read from the top of the repository",
    "authorizations": _MEMBERS,
    "backups": "disks:snapshots APP shows those of its disks; databases are not managed here",
    "builder": _BUILDER,
    "builder-dockerfile": "the Dockerfile at the top of the repository is built",
    "builder-herokuish": _BUILDER,
    "builder-nixpacks": _BUILDER,
    "builder-pack": _BUILDER,
    "buildpacks": _BUILDER,
    "caddy": _ROUTES,
    "certs": _TLS,
    "checks": _CHECKS,
    "clients": _MEMBERS,
    "container": _CONTAINER,
    "cron": _SCHEDULE,
    "docker-options": "disks:attach APP NAME /data, config:set APP KEY=VALUE and apps:set APP",
    "drains": _LOGS,
    "dyno": "ps APP, ps:scale APP, ps:restart APP",
    "elasticsearch": _DATABASE,
    "features": "apps:set APP shows what can be set",
    "haproxy": _ROUTES,
    "http-auth": "let the app ask for a password: nginx does not",
    "labs": "apps:set APP shows what can be set",
    "letsencrypt": _TLS,
    "maintenance": _STOP,
    "mariadb": _DATABASE,
    "members": _MEMBERS,
    "mongo": _DATABASE,
    "mysql": _DATABASE,
    "network": _NETWORK,
    "nginx": _ROUTES,
    "notifications": _AFTER_DEPLOY,
    "openresty": _ROUTES,
    "orgs": _MEMBERS,
    "pg": _DATABASE,
    "plugin": _PLUGIN,
    "plugins": _PLUGIN,
    "ports": "web listens on PORT and is served over HTTP; other ports are not",
    "postgres": _DATABASE,
    "proxy": _ROUTES,
    "rabbitmq": _DATABASE,
    "redirect": "let the app answer with a redirect: nginx does not",
    "redis": _DATABASE,
    "registry": "slugs stay on this machine: no registry is needed",
    "repo": "repositories are looked after by the server",
    "resource": _LIMITS,
    "review": _REVIEW,
    "reviewapps": _REVIEW,
    "scheduler": "processes run in the Docker of this machine",
    "sessions": _MEMBERS,
    "spaces": _NETWORK,
    "stack": "apps:info APP names its stack; PUSHDEPLOY_STACK on the server is that of new builds",
    "tags": _TAGS,
    "teams": _MEMBERS,
    "traefik": _ROUTES,
    "vector": _LOGS,
    "webhooks": _AFTER_DEPLOY,
}
MORE: Mapping[str, str] = {
    "nginx:set client-max-body-size": "apps:set APP body-limit=50m",
    "nginx:set proxy-buffering": "apps:set APP buffering=on",
    "nginx:set proxy-read-timeout": "apps:set APP read-timeout=2m",
    "nginx:set underscore-in-headers": "apps:set APP header-names=any",
    "ps:set stop-timeout-seconds": "apps:set APP stop-grace=30s",
    "checks:set wait-to-retire": "apps:set APP drain=30s",
    "pg:psql": _SQL,
    "postgres:connect": _SQL,
}


def said_elsewhere(name: str, words: str = "") -> str:
    """What to type instead of a command of Heroku or Dokku; empty where the word is not known."""
    found = [text for start, text in MORE.items() if _begins(f"{name} {words}", start)]
    found += [EXACT.get(name, ""), NOUNS.get(name.partition(":")[0], "")]
    return next((text for text in found if text), "")


def _begins(line: str, start: str) -> bool:
    name, _, key = start.partition(" ")
    words = line.split()
    return bool(words) and words[0] == name and (not key or key in words)
