# Functions for a PostgreSQL cluster of our own, sourced by `postgres` and `with-postgres`. bash.

# For runuser, where the caller's shell was started without these.
PATH=$PATH:/usr/sbin:/sbin

# Directory of the newest server's programs.
newest_server() {
    local newest
    newest=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -t/ -k5,5n | tail -1)
    if [[ -z $newest ]]; then
        echo "no PostgreSQL server in /usr/lib/postgresql: run deploy/local/install-packages" >&2
        return 69
    fi
    echo "${newest%/initdb}"
}

# initdb refuses root, so root becomes the user `postgres` of Debian's package; others stay who they are.
as_server_user() {
    if (( $(id -u) == 0 )); then
        (cd / && runuser -u postgres -- "$@")
    else
        "$@"
    fi
}

own_by_server_user() {
    if (( $(id -u) == 0 )); then
        chown postgres "$@"
    fi
}

is_port_taken() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# The first port from $1 on that nobody listens on.
free_port() {
    local port
    for ((port = $1; port < $1 + 200; port++)); do
        if ! is_port_taken "$port"; then
            echo "$port"
            return
        fi
    done
    echo "no free port from $1 to $(($1 + 199))" >&2
    return 69
}
