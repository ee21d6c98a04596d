import Postgres
import Support
import Testing

@Suite struct NotificationTests {
    @Test func aConnectionHearsWhatOthersSay() async throws {
        try await withConnection { listener in
            let notifications = try await listener.notifications()
            try await listener.listen(to: "odd \"name\"")
            try await withConnection { speaker in
                for payload in ["one", "two"] {
                    try await speaker.run("SELECT pg_notify('odd \"name\"', \(payload))")
                }
            }
            var heard: [String] = []
            for try await notification in notifications {
                heard.append(notification.payload)
                if heard.count == 2 { break }
            }
            #expect(heard == ["one", "two"])
        }
    }

    @Test func theListenerComesBackAfterItsBackendWasTerminated() async throws {
        let (events, feed) = AsyncStream<String>.makeStream()
        let channel = "channel_\(UInt32.random(in: 0...UInt32.max))"
        let configuration = ConnectionConfiguration(url: try TestPostgres.url(), applicationName: channel)
        let listener = NotificationListener(
            configuration, channels: [channel], onReconnect: { feed.yield("listening") },
            onNotification: { feed.yield($0.payload) })
        let task = Task {
            await listener.run()
            feed.finish()
        }
        var heard = events.makeAsyncIterator()
        try await withConnection { speaker in
            #expect(await heard.next() == "listening")
            try await speaker.run("SELECT pg_notify(\(channel), 'before')")
            #expect(await heard.next() == "before")
            let killed: Statement<Bool> = """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = \(channel)
                """
            #expect(try await speaker.all(killed) == [true])
            #expect(await heard.next() == "listening")
            try await speaker.run("SELECT pg_notify(\(channel), 'after')")
            #expect(await heard.next() == "after")
        }
        task.cancel()
        #expect(await heard.next() == nil)
    }

    @Test func aListeningConnectionLeavesThePool() async throws {
        try await withPool(maxConnections: 1) { pool in
            let first = try await pool.withConnection { connection in
                try await connection.listen(to: "somewhere")
                return connection.backendID
            }
            #expect(try await pool.withConnection { $0.backendID } != first)
        }
    }
}
