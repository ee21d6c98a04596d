import Foundation
import Postgres
import Shared

/// Books places of the demo company over the API, as people would: some of them somebody else has, and some are given back.
struct DemoBooker: Sendable {
    /// Seconds between two wishes.
    static let interval = 6.0
    private static let names = ["Ana", "Bruno", "Carmen", "Diego", "Elena", "Felipe", "Gloria", "Hugo"]

    private struct Wish: Encodable {
        struct Holder: Encodable {
            let name: String
        }

        let space_id, starts_at, ends_at, request_id: String
        let note = "Demo"
        let holder: Holder
    }

    let demo: DemoFile
    let tally: SharedTally

    func run() async throws {
        while true {
            // Whatever goes wrong: the API may be away, or the token too old.
            do { try await bookForAWhile() } catch is CancellationError { return } catch {}
            try await DemoFeed.pause(Self.interval)
        }
    }

    /// As long as one token lasts.
    private func bookForAWhile() async throws {
        guard let api = try await DemoAPI.signIn(demo) else { return }
        var spaces: [String] = []
        for site in ["P01", "O01", "T01"] {
            let list = try await api.get("/spaces?site=\(site)&limit=12", as: DemoAPI.List<DemoAPI.Thing>.self)
            spaces += list?.data.map(\.id) ?? []
        }
        for _ in 0..<100 {
            guard let space = spaces.randomElement() else { return }
            if let made = try await book(space, api) {
                tally.booked()
                if Bool.random() {
                    _ = try await api.post("/reservations/\(made.id)/cancel")
                }
            } else {
                tally.placeTaken()
            }
            try await DemoFeed.pause(Self.interval * .random(in: 0.5...1.5))
        }
    }

    /// For some hour of the working days to come.
    private func book(_ space: String, _ api: DemoAPI) async throws -> DemoAPI.Thing? {
        let hour = Timestamp.now().seconds / 3_600 + Int64.random(in: 1...48)
        let start = Timestamp(secondsSinceEpoch: hour * 3_600)
        let wish = Wish(
            space_id: space, starts_at: start.rfc3339,
            ends_at: start.adding(seconds: 1_800 * Int64.random(in: 1...4)).rfc3339,
            request_id: UUID.v7().lowercaseString, holder: .init(name: Self.names.randomElement() ?? ""))
        return try await api.post("/reservations", wish, as: DemoAPI.Thing.self)
    }
}
