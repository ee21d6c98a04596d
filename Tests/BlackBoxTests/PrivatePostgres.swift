import Foundation
import Postgres
import Support

/// A PostgreSQL server of one test alone, to be killed, stopped and started again.
final class PrivatePostgres: Sendable {
    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    /// `127.0.0.1:port`
    let host: String
    let port: Int
    private let directory: String

    /// For the time of `body`.
    static func with<Value: Sendable>(_ body: (PrivatePostgres) async throws -> Value) async throws -> Value {
        try await lend(
            PrivatePostgres {
                """
                as_server_user "$bin/initdb" --pgdata="$directory/data" --username=postgres --encoding=UTF8 --locale=C.UTF-8 \
                    --auth=trust --no-sync >/dev/null
                """
            }, body)
    }

    /// With a standby that has all that is acknowledged: a commit waits until it reached its disk.
    static func withStandby<Value: Sendable>(
        _ body: (_ primary: PrivatePostgres, _ standby: PrivatePostgres) async throws -> Value
    ) async throws -> Value {
        try await with { primary in
            let standby = try await PrivatePostgres {
                """
                as_server_user "$bin/pg_basebackup" --pgdata="$directory/data" --host=127.0.0.1 --port=\(primary.port) \
                    --username=postgres --write-recovery-conf --wal-method=stream --checkpoint=fast --no-sync
                """
            }
            return try await lend(standby) { standby in
                try await primary.set("synchronous_standby_names", to: "'*'")
                try await eventually("the standby is synchronous") {
                    try await primary.rows("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == [1]
                }
                return try await body(primary, standby)
            }
        }
    }

    private static func lend<Value: Sendable>(
        _ server: PrivatePostgres, _ body: (PrivatePostgres) async throws -> Value
    ) async throws -> Value {
        let result: Result<Value, any Error>
        do {
            try await server.start()
            result = .success(try await body(server))
        } catch {
            result = .failure(error)
        }
        try await server.remove()
        return try result.get()
    }

    /// - Parameter fill: the script that puts a cluster into `$directory/data`.
    private init(filledBy fill: () -> String) async throws {
        port = try FreePorts.take(1)[0]
        host = "127.0.0.1:\(port)"
        directory = try await Self.bash(
            """
            directory=$(mktemp -d /tmp/pulsegate-private.XXXXXX)
            chmod 755 "$directory"
            own_by_server_user "$directory"
            \(fill())
            echo "$directory"
            """)
    }

    func start() async throws {
        // The backends of a killed server end by themselves, and until then keep a new one from starting. Foundation takes a process
        // for running as long as anybody has its descriptors.
        try await Self.bash(
            """
            start() (
                for descriptor in /proc/$BASHPID/fd/*; do
                    (( ${descriptor##*/} <= 2 )) || eval "exec ${descriptor##*/}>&-"
                done
                as_server_user "$bin/pg_ctl" start -D "\(directory)/data" -w -s -l "\(directory)/log" -o "-p \(port) \
                    -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=50"
            )
            for attempt in {1..100}; do
                start >/dev/null 2>&1 </dev/null && exit 0
                sleep 0.1
            done
            tail -20 "\(directory)/log" >&2
            exit 1
            """)
    }

    /// As `kill -9` does: nothing is written any more.
    func kill() throws {
        let file = try String(contentsOfFile: directory + "/data/postmaster.pid", encoding: .utf8)
        guard let id = file.split(separator: "\n").first.flatMap({ Int32($0) }) else {
            throw Failed(description: "no process id in \(file)")
        }
        Foundation.kill(id, SIGKILL)
    }

    /// In order: whoever is connected is told.
    func stop() async throws {
        try await Self.bash("as_server_user \"$bin/pg_ctl\" stop -D '\(directory)/data' -m fast -w -s")
    }

    /// Makes a standby the primary, and returns when it takes writes.
    func promote() async throws {
        try await Self.bash("as_server_user \"$bin/pg_ctl\" promote -D '\(directory)/data' -w -s")
    }

    /// Changes a setting of the running server.
    func set(_ name: String, to value: String) async throws {
        try await execute("ALTER SYSTEM SET \(name) = \(value)", "SELECT pg_reload_conf()")
    }

    func execute(_ scripts: String...) async throws {
        let connection = try await PostgresConnection.connect(.init(url: TestPostgres.url(host: host)))
        for script in scripts { try await connection.execute(script: script) }
        await connection.close()
    }

    func rows(_ statement: Statement<Int64>) async throws -> [Int64] {
        let connection = try await PostgresConnection.connect(.init(url: TestPostgres.url(host: host)))
        let rows = try await connection.all(statement)
        await connection.close()
        return rows
    }

    private func remove() async throws {
        try await Self.bash(
            """
            as_server_user "$bin/pg_ctl" stop -D "\(directory)/data" -m immediate -w -s >/dev/null 2>&1 || true
            rm -rf "\(directory)"
            """)
    }

    /// Runs a script with the functions of `deploy/local/cluster.sh`; returns what it printed.
    @discardableResult
    private static func bash(_ script: String) async throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        let functions = ServerProcess.repository.appendingPathComponent("deploy/local/cluster.sh").path
        process.arguments = ["-c", "set -euo pipefail\nsource '\(functions)'\nbin=$(newest_server)\n" + script]
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        let status = try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { ended.resume(returning: $0.terminationStatus) }
            do {
                try process.run()
            } catch {
                ended.resume(throwing: error)
            }
        }
        // Both are short: they fit into the pipes.
        let (text, complaint) = (output.text, errors.text)
        guard status == 0 else { throw Failed(description: "\(status): \(complaint)") }
        return text
    }
}

extension Pipe {
    fileprivate var text: String {
        String(decoding: fileHandleForReading.availableData, as: UTF8.self).trimmingCharacters(
            in: .whitespacesAndNewlines)
    }
}
