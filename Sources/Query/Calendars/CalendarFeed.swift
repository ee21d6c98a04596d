import Foundation
import Postgres
import Shared

/// A calendar of reservations at a secret address, which calendar programs subscribe to. It shows what its member may see at the time.
struct CalendarFeed: Sendable {
    let id: UUID
    let name: String
    let siteID, spaceID: UUID?
    let createdAt, updatedAt: Timestamp
}

extension CalendarFeed: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        name = try row["name"]
        siteID = try row["site_id"]
        spaceID = try row["space_id"]
        createdAt = try row["created_at"]
        updatedAt = try row["updated_at"]
    }
}

extension CalendarFeed: Audited {
    static let resourceType = "calendar_feed"

    func write(to json: inout JSONWriter) {
        json.object { write(fieldsOf: &$0) }
    }

    func write(fieldsOf object: inout JSONWriter) {
        object.field("id", id)
        object.field("name", name)
        object.field("site_id", siteID)
        object.field("space_id", spaceID)
        object.field("created_at", createdAt)
        object.field("updated_at", updatedAt)
    }
}

/// A new feed with its address, which is shown this once.
struct NewCalendarFeed: JSONWritable {
    let feed: CalendarFeed
    let url: String

    func write(to json: inout JSONWriter) {
        json.object { object in
            feed.write(fieldsOf: &object)
            object.field("url", url)
        }
    }
}

/// Whose a feed is, as of now.
struct FeedReader: RowDecodable {
    let name: String
    let siteID, spaceID: UUID?
    let siteIDs: [UUID]
    let scopes: Set<Scope>

    init(_ row: Row) throws {
        name = try row["name"]
        siteID = try row["site_id"]
        spaceID = try row["space_id"]
        siteIDs = try row["site_ids"]
        scopes = Scope.held(by: try row["role"], own: try row["own_scopes"])
    }
}
