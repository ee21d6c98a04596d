import Postgres
import Shared
import Support

/// What goes on in a database beside its work: backends end, commits linger, VACUUM runs, the ring of batch keys turns.
struct Disturbances {
    let ground: HistoryGround

    /// Some transactions that write or empty the log wait a little before they commit, and others overtake them.
    static func plantLingeringCommits(in clone: MigratedDatabase) async throws {
        try await clone.asSuperuser { connection in
            try await connection.execute(
                script: """
                    CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$
                    BEGIN
                        IF random() < (CASE TG_OP WHEN 'INSERT' THEN 0.1 ELSE 0.02 END) THEN
                            PERFORM pg_sleep(random() * 0.03);
                        END IF;
                        RETURN NULL;
                    END
                    $$;
                    CREATE CONSTRAINT TRIGGER linger AFTER INSERT OR DELETE ON sample_log
                        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION linger();
                    """)
        }
    }

    /// Ends backends of ingest and compaction, or cancels what they are doing; gladly those that are about to commit.
    func kill() async throws {
        let plan = ground.plan
        try await ground.clone.asSuperuser { connection in
            var random = plan.random(.killer)
            while !ground.curtain.hasFallen {
                try await Task.sleep(for: .milliseconds(Int.random(in: 5...plan.longestPeace, using: &random)))
                let isGentle = Int.random(in: 0..<4, using: &random) == 0
                let wantsBusy = Int.random(in: 0..<4, using: &random) > 0
                let ended = try await connection.all(Self.kill(isGentle: isGentle, wantsBusy: wantsBusy))
                ground.tally.count(.kills, ended.count)
            }
        }
    }

    private static func kill(isGentle: Bool, wantsBusy: Bool) -> Statement<Bool> {
        """
        SELECT CASE WHEN \(isGentle) THEN pg_cancel_backend(pid) ELSE pg_terminate_backend(pid) END
          FROM (SELECT pid FROM pg_stat_activity
                 WHERE datname = current_database() AND usename IN ('pulsegate_ingest', 'pulsegate_system')
                   AND (state = 'active' OR NOT \(wantsBusy))
                 ORDER BY (\(wantsBusy) AND wait_event = 'PgSleep') IS TRUE DESC, random() LIMIT 1) victim
        """
    }

    /// Vacuums, and turns the ring of batch keys now and then.
    func sweep(as system: PostgresPool) async throws {
        var random = ground.plan.random(.sweeper)
        while !ground.curtain.hasFallen {
            try await Task.sleep(for: .milliseconds(Int.random(in: 50...400, using: &random)))
            if Int.random(in: 0..<3, using: &random) > 0 {
                try await vacuum()
            } else {
                do {
                    try await ground.ring.turn(ground.clone, as: system)
                    ground.tally.count(.turns)
                } catch {
                    try ground.tolerate(error)
                }
            }
        }
    }

    func vacuum() async throws {
        try await ground.clone.asSuperuser { connection in
            try await connection.run("VACUUM sample_log, sample_chunks, batch_keys")
        }
        ground.tally.count(.vacuums)
    }
}
