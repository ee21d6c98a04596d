import Foundation
import Postgres
import Support
import Testing

/// What was spooled arrives late: the newest state of a device is by network time, and what is late is stored all the same.
@Suite(.timeLimit(.minutes(5)))
struct DrainOrderTests {
    private static let sensors = 2

    /// All of the spool is drained after what came later.
    @Test func whatIsDrainedLaterDoesNotTakeTheNewestStateBack() async throws {
        try await Senders.behindProxy(Self.sensors) { senders, proxy, ingest in
            let installation = senders.installation
            try await installation.watchNewestStates()
            proxy.cut()
            try await senders.sendReadings((100..<130).shuffled(), expecting: [202])
            await ingest.killAndWait()
            let kept = try installation.segments().map { ($0, try Data(contentsOf: $0)) }
            for (file, _) in kept { try FileManager.default.removeItem(at: file) }
            proxy.mend()
            let between = try await installation.startIngest(through: proxy)
            try await senders.sendReadings([500], expecting: [200, 202])
            try await installation.spoolIsEmpty()
            await between.killAndWait()
            for (file, content) in kept { try content.write(to: file) }
            let last = try await installation.startIngest(through: proxy)
            try await installation.spoolIsEmpty()
            try await senders.checkReadings(100..<130, newest: 500)
            return last
        }
    }

    /// New readings arrive while the spool drains.
    @Test func theNewestStateNeverGoesBackWhileTheSpoolDrains() async throws {
        try await Senders.behindProxy(Self.sensors) { senders, proxy, ingest in
            try await senders.installation.watchNewestStates()
            for round in 1...3 {
                proxy.cut()
                try await senders.sendReadings((round * 1_000..<round * 1_000 + 60).shuffled(), expecting: [202])
                proxy.mend()
                var newest = round * 1_000 + 500
                try await eventually("what arrives is stored") {
                    newest += 1
                    return try await senders.sendReading(0, newest) == 200
                }
                try await senders.sendReadings([newest + 1], expecting: [200, 202])
                try await senders.installation.spoolIsEmpty()
                try await senders.checkReadings(round * 1_000..<round * 1_000 + 60, newest: newest + 1)
            }
            return ingest
        }
    }
}

extension Installation {
    /// Notes each commit that makes a device's newest reading, or a store's last word, older than it was.
    fileprivate func watchNewestStates() async throws {
        try await execute(
            """
            CREATE TABLE went_back (what text, owner_id int, was timestamptz, became timestamptz);
            GRANT INSERT ON went_back TO PUBLIC;
            CREATE FUNCTION note_going_back() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO went_back SELECT TG_TABLE_NAME, NEW.owner_id, was, became
                  FROM (SELECT coalesce(to_jsonb(OLD)->>'newest_at', to_jsonb(OLD)->>'last_seen_at')::timestamptz AS was,
                               coalesce(to_jsonb(NEW)->>'newest_at', to_jsonb(NEW)->>'last_seen_at')::timestamptz AS became) t
                 WHERE became < was OR became IS NULL AND was IS NOT NULL;
                RETURN NULL;
            END $$;
            CREATE TRIGGER note_going_back AFTER UPDATE ON device_states
                FOR EACH ROW EXECUTE FUNCTION note_going_back();
            CREATE TRIGGER note_going_back AFTER UPDATE ON site_states
                FOR EACH ROW EXECUTE FUNCTION note_going_back();
            """)
    }
}

/// Readings whose numbers give all that they say: time, counter, battery and signal.
extension Senders {
    /// Of all sensors at once, each in this order.
    fileprivate func sendReadings(_ numbers: [Int], expecting statuses: Set<Int>) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sensor in 0..<count {
                group.addTask {
                    for number in numbers {
                        let answered = try await sendReading(sensor, number)
                        #expect(statuses.contains(answered), "\(answered)")
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    fileprivate func sendReading(_ sensor: Int, _ number: Int) async throws -> Int {
        let sending = Sending(sender: sensor, number: 2 * number + 1) // to the ledger the odd ones are uplinks
        let uplink: [String: Any] = [
            "device_eui": Sensor.deviceEUI(sensor), "fcnt": sending.number, "dev_addr": "26011bda",
            "rssi": -(number % 100),
            "received_at": Sending.start + Int64(number) * 1_000, "payload": ["battery": number, "count": number],
        ]
        let answer = try await installation.client.postSigned(
            installation.ingestURL + "/v1/webhooks/" + tenant.integrationID, json: uplink, secret: tenant.secret)
        if answer.status / 100 == 2 { ledger.note(sending) }
        return answer.status
    }

    /// - Parameter late: readings of each sensor that came late.
    fileprivate func checkReadings(_ late: Range<Int>, newest: Int) async throws {
        let wentBack: [Int64] = try await installation.rows("SELECT count(*) FROM went_back")
        #expect(wentBack == [0])
        let time = (Sending.start + Int64(newest) * 1_000) * 1_000
        let current: [Int64] = try await installation.rows(
            """
            SELECT count(*) FROM device_states s JOIN devices d USING (tenant_id, owner_id)
             WHERE newest_at = to_timestamp(\(time)::int8 / 1e6) AND battery = \(Double(newest)) AND rssi = \(Double(-(newest % 100)))
            """)
        #expect(current == [Int64(count)], "each sensor's newest state is that of its newest reading")
        let samples: [Int64] = try await installation.rows(
            """
            SELECT count(*) FROM samples p JOIN series s ON s.tenant_id = p.tenant_id AND s.id = p.series_id
             WHERE s.metric = 'count' AND p.value >= \(Double(late.lowerBound)) AND p.value < \(Double(late.upperBound))
            """)
        #expect(samples == [Int64(late.count * count)], "late samples are there")
    }
}
