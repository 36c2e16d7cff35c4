"""Words of Heroku and Dokku that are no commands here get an answer: what to type, or why not.

``APP`` in a text becomes the name of the app that was meant, where it is known.
"""

from collections.abc import Mapping

_REVIEW = (
    "apps:clone APP APP-review makes one, apps:destroy APP-review --confirm APP-review removes it"
)
_ROUTES = "nginx is pushdeploy's own: apps:set APP shows what can be set"
_TAGS = "releases:rollback APP vN goes back; pipelines:promote brings a slug to another app"
_TLS = "certs:list APP shows by which certificate each host is shown; docs/tls.md"
_DATABASE = (
    "databases are not managed here: let one run anywhere, and"
    " config:set APP DATABASE_URL=postgres://USER:PASSWORD@HOST/NAME"
)
_SQL = (
    "ssh -t deploy run APP 'psql \"$DATABASE_URL\"' where the app's image has psql;"
    " else psql on your machine, with the URL of: config:get APP DATABASE_URL"
)
_PLUGIN = "there are no plugins: help shows the commands that there are"
_BUILDER = (
    "the language is found by the app's files; a Dockerfile in the repository replaces all of it"
)
_LOGS = "logs APP -t follows them; what an app logs is not sent anywhere else"
_CONTAINER = "a Dockerfile at the top of the repository, and git push deploy main"
_SERVERS_LOG = "the server's log tells of its work: journalctl -u pushdeploy"
_SCHEDULE = "cron of the machine can do it: ssh deploy run APP COMMAND"
_CHECKS = (
    "write them into app.json: healthchecks; boot-timeout of apps:set APP is how long they take"
)
_NETWORK = "each app is alone in its network; its service is reached through web and its domains"
_MEMBERS = "keys:add NAME < NAME.pub lets a person in, keys:list shows all of them"
_REMOTE = "git remote add deploy deploy:APP, on your machine"
_SHELL = "ssh -t deploy run APP bash"
_DOMAIN = "domain of pushdeploy.toml on the server is what all apps are below"
_IMAGE = "a Dockerfile with FROM IMAGE in a repository, and git push deploy main"
_AFTER_DEPLOY = "hooks/post-deploy below the server's home is called after each deploy"
_NO_CLIENT = "there is no client: its commands are typed as ssh deploy COMMAND, and help shows all"
_LOGIN = "your ssh key is your login: whoami shows whose it is"
_NO_FETCH = "nothing is fetched from other servers: git push deploy main, from a clone"
_BESIDE = "run APP COMMAND runs a command beside the app"
_REBUILD = "ps:rebuild APP builds the live commit again"
_FROM_CI = "git push deploy main, from any CI with a key of keys:add"
_ONE_SERVER = "there is one server, and all apps are on it"
_SCHEDULER = "processes run in the Docker of this machine"
_LIMITS = "PUSHDEPLOY_TASK_MEMORY_BYTES and PUSHDEPLOY_TASK_CPUS on the server limit each process"

EXACT: Mapping[str, str] = {
    "access:add": _MEMBERS,
    "access:update": _MEMBERS,
    "addons": _DATABASE,
    "apps:delete": "apps:destroy APP --confirm APP",
    "apps:errors": "logs APP; releases APP shows which release failed",
    "apps:favorites": "apps:list shows all",
    "apps:join": _MEMBERS,
    "apps:leave": "keys:remove NAME",
    "apps:open": "url APP prints the address",
    "apps:remove": "apps:destroy APP --confirm APP",
    "apps:stacks": "apps:info APP names its stack",
    "apps:transfer": _MEMBERS,
    "auth:2fa": _LOGIN,
    "auth:login": _LOGIN,
    "auth:logout": _LOGIN,
    "auth:token": _LOGIN,
    "auth:whoami": "whoami",
    "autocomplete": _NO_CLIENT,
    "bash": _SHELL,
    "builds": "releases APP",
    "builds:create": "git push deploy main; ps:rebuild APP builds the live commit again",
    "builds:info": "releases:output APP has the output of a build",
    "builds:list": "releases APP",
    "builds:output": "releases:output APP",
    "cat": _BESIDE,
    "certs:auto:disable": _TLS,
    "certs:auto:enable": _TLS,
    "checks:disable": "disks:set APP cutover=exclusive stops the old version first, with a disk",
    "clone": "apps:clone APP NEW",
    "commands": "help",
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
    "django-admin": _BESIDE,
    "domains:add-global": _DOMAIN,
    "domains:clear-global": _DOMAIN,
    "domains:disable": "ps:scale APP web=0 takes an app off its host names",
    "domains:enable": "ps:scale APP web=1 brings an app back to its host names",
    "domains:remove-global": _DOMAIN,
    "domains:reset": "domains:clear APP",
    "domains:set-global": _DOMAIN,
    "domains:update": "domains:add APP HOST",
    "domains:wait": "domains:add APP HOST is in force when it returns",
    "dyno": "ps APP",
    "dyno:kill": "ps:restart APP web.1; ps:stop APP run.1 ends a one-off",
    "dyno:resize": _LIMITS,
    "dyno:restart": "ps:restart APP",
    "dyno:scale": "ps:scale APP web=2",
    "dyno:stop": "ps:stop APP",
    "enter": _SHELL,
    "env": "config APP",
    "exec": _SHELL,
    "flask": _BESIDE,
    "git:allow-host": "ssh asks nothing of known hosts here: no build fetches by ssh",
    "git:auth": "a private package needs a token: config:set APP TOKEN=… BUILD_ENV=TOKEN",
    "git:clone": "git clone deploy:APP, on your machine",
    "git:from-archive": "git push deploy main is how code comes; unpack it and commit it first",
    "git:from-image": _IMAGE,
    "git:generate-deploy-key": _NO_FETCH,
    "git:initialize": "apps:create APP",
    "git:load-image": _IMAGE,
    "git:public-key": _NO_FETCH,
    "git:remote": _REMOTE,
    "git:sync": "git push deploy main, from a clone of that repository",
    "git:unlock": "builds:cancel APP stops a deploy that is going on",
    "info": "apps:info APP",
    "join": _MEMBERS,
    "keys:clear": "keys:remove NAME, one by one",
    "list": "apps:list",
    "lock": "apps:lock APP",
    "log": "logs APP",
    "login": _LOGIN,
    "logout": "your ssh key is your login: keys:remove NAME takes it away",
    "logs:drain": _LOGS,
    "logs:failed": "releases:output APP",
    "logs:report": _LOGS,
    "logs:set": _LOGS,
    "ls": "apps:list",
    "maintenance:custom-page": "maintenance:on APP < page.html",
    "maintenance:disable": "maintenance:off APP",
    "maintenance:enable": "maintenance:on APP",
    "manage.py": _BESIDE,
    "nginx:access-logs": "logs APP -p router shows a line of each request",
    "nginx:error-logs": "nginx/logs/error.log below the server's home",
    "node": _BESIDE,
    "npm": _BESIDE,
    "open": "url APP prints the address",
    "pip": _BESIDE,
    "pipelines:connect": _FROM_CI,
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
    "ps:forward": "a port of a container is not forwarded: ssh -t deploy run APP bash looks inside",
    "ps:inspect": "ps APP --format json",
    "ps:kill": "ps:restart APP web.1; ps:stop APP run.1 ends a one-off",
    "ps:resize": _LIMITS,
    "ps:restore": "nothing to do: the server starts what should run when it starts",
    "ps:retire": "nothing to do: old processes go when their last request has ended",
    "ps:set": "apps:set APP stop-grace=30s, boot-timeout=1m",
    "ps:type": _LIMITS,
    "ps:wait": "ps:restart APP returns when the new processes serve",
    "psql": _SQL,
    "python": _BESIDE,
    "python3": _BESIDE,
    "rails": _BESIDE,
    "rake": _BESIDE,
    "rename": "apps:rename APP NEW",
    "repo:gc": "releases:gc removes slugs that nothing needs",
    "repo:purge-cache": _REBUILD,
    "resource": _LIMITS,
    "restart": "ps:restart APP",
    "run:detached": "run APP COMMAND, in a session of tmux or with nohup on your machine",
    "run:inside": _SHELL,
    "run:list": "ps APP",
    "run:logs": "run APP COMMAND prints what it says",
    "run:retire": "ps:stop APP run.N",
    "run:stop": "ps:stop APP run.N",
    "scale": "ps:scale APP web=2",
    "sh": _BESIDE,
    "shell": _SHELL,
    "shell-completion": _NO_CLIENT,
    "slugs": "releases APP; releases:info APP vN shows one",
    "ssh": _SHELL,
    "stack": "apps:info APP names its stack; PUSHDEPLOY_STACK on the server is for new builds",
    "start": "ps:start APP",
    "status": "ps APP",
    "stop": "ps:stop APP",
    "storage:create": "disks:attach APP NAME /data",
    "storage:report": "disks:list APP",
    "tail": "logs APP -t",
    "trace": _SERVERS_LOG,
    "trace:off": _SERVERS_LOG,
    "trace:on": _SERVERS_LOG,
    "unlock": "apps:unlock APP",
    "update": _NO_CLIENT,
    "users": _MEMBERS,
    "vhosts": "domains:list APP",
}
NOUNS: Mapping[str, str] = {
    "acl": _MEMBERS,
    "addons": _DATABASE,
    "app-json": "app.json is read from the top of the repository",
    "authorizations": _MEMBERS,
    "backups": "disks:snapshots APP shows the copies of its disks; databases are not managed here",
    "builder": _BUILDER,
    "builder-dockerfile": "the Dockerfile at the top of the repository is built",
    "builder-herokuish": _BUILDER,
    "builder-nixpacks": _BUILDER,
    "builder-pack": _BUILDER,
    "buildpacks": _BUILDER,
    "cache": _REBUILD,
    "caddy": _ROUTES,
    "checks": _CHECKS,
    "ci": _FROM_CI,
    "clickhouse": _DATABASE,
    "clients": _MEMBERS,
    "container": _CONTAINER,
    "couchdb": _DATABASE,
    "cron": _SCHEDULE,
    "data": _DATABASE,
    "docker-options": "disks:attach APP NAME /data, config:set APP KEY=VALUE and apps:set APP",
    "drains": _LOGS,
    "dyno": "ps APP, ps:scale APP, ps:restart APP",
    "elasticsearch": _DATABASE,
    "events": "audit --app APP shows who asked for what, releases APP what came of it",
    "features": "apps:set APP shows what can be set",
    "graphite": _DATABASE,
    "haproxy": _ROUTES,
    "http-auth": "auth:set APP USER < password.txt, access:allow APP CIDR",
    "kafka": _DATABASE,
    "labs": "apps:set APP shows what can be set",
    "letsencrypt": _TLS,
    "local": "the Procfile's command on your machine: web: … is a shell command",
    "mariadb": _DATABASE,
    "meilisearch": _DATABASE,
    "members": _MEMBERS,
    "memcached": _DATABASE,
    "mongo": _DATABASE,
    "mysql": _DATABASE,
    "nats": _DATABASE,
    "network": _NETWORK,
    "nginx": _ROUTES,
    "notifications": _AFTER_DEPLOY,
    "omnisci": _DATABASE,
    "openresty": _ROUTES,
    "orgs": _MEMBERS,
    "outbound-rules": "PUSHDEPLOY_LAN=closed on the server keeps apps from private addresses",
    "pg": _DATABASE,
    "plugin": _PLUGIN,
    "plugins": _PLUGIN,
    "ports": "web listens on PORT and is served over HTTP; other ports are not",
    "postgres": _DATABASE,
    "proxy": _ROUTES,
    "pushpin": _DATABASE,
    "rabbitmq": _DATABASE,
    "redirect": "redirects:add APP /old /new",
    "redis": _DATABASE,
    "regions": _ONE_SERVER,
    "registry": "slugs stay on this machine: no registry is needed",
    "repo": "repositories are looked after by the server",
    "resource": _LIMITS,
    "rethinkdb": _DATABASE,
    "review": _REVIEW,
    "reviewapps": _REVIEW,
    "scheduler": _SCHEDULER,
    "scheduler-docker-local": _SCHEDULER,
    "scheduler-k3s": _SCHEDULER,
    "sessions": _MEMBERS,
    "solr": _DATABASE,
    "spaces": _NETWORK,
    "stack": "apps:info APP names its stack; PUSHDEPLOY_STACK on the server is for new builds",
    "tags": _TAGS,
    "teams": _MEMBERS,
    "telemetry": _NO_CLIENT,
    "traefik": _ROUTES,
    "trusted-ips": _ROUTES,
    "typesense": _DATABASE,
    "usage": "ps APP shows its processes, disks:list APP how much is on its disks",
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
    """Return the command to type in place of one of Heroku or Dokku; empty for an unknown word."""
    found = [text for start, text in MORE.items() if _begins(f"{name} {words}", start)]
    found += [EXACT.get(name, ""), NOUNS.get(name.partition(":")[0], "")]
    return next((text for text in found if text), "")


def _begins(line: str, start: str) -> bool:
    name, _, key = start.partition(" ")
    words = line.split()
    return bool(words) and words[0] == name and (not key or key in words)
