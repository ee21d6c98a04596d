import Foundation
import Postgres

/// A series as clients know it; its int4 id stays inside.
struct SeriesDescription: Sendable {
    struct Owner: Hashable, Sendable {
        /// `store` or `device`.
        let kind: String
        let id: UUID
        /// A store's code, a device's EUI.
        let code: String
    }

    /// Where a series stands in the list of all: by metric, then by age.
    struct Position: Hashable, Sendable, Codable {
        let metric: String
        let id: Int32
    }

    let id: Int32
    let metric: String
    let owner: Owner
    let labels: JSONB
    let createdAt: Timestamp

    var position: Position { Position(metric: metric, id: id) }
}

extension SeriesDescription: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        metric = try row["metric"]
        labels = try row["labels"]
        createdAt = try row["created_at"]
        owner = Owner(kind: try row["owner_kind"], id: try row["owner_uuid"], code: try row["owner_code"])
    }
}
