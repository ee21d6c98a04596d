import Foundation
import Postgres
import Shared

/// A space that somebody holds for a time.
struct Reservation: Sendable {
    /// Seconds that one may last.
    static let longest: Int64 = 30 * 86_400
    /// Seconds that its start may lie in the past.
    static let grace: Int64 = 5 * 60

    enum Status: String, CaseIterable, PostgresDecodable, Sendable {
        case pending, confirmed, cancelled, completed
        case noShow = "no_show"

        /// Whether nobody else can have the place.
        var holdsPlace: Bool { self == .pending || self == .confirmed }
    }

    struct Holder: Sendable {
        /// Of a member; name and address are what they were then.
        let userID: UUID?
        let name: String
        let email, phone: String?
    }

    let id: UUID
    let spaceID: UUID
    let siteID: UUID
    /// Half-open.
    let startsAt, endsAt: Timestamp
    var status: Status
    let holder: Holder
    let note: String?
    let requestID: String?
    /// When a pending one gives its place up.
    let expiresAt: Timestamp?
    var checkedInAt: Timestamp?
    let createdAt, updatedAt: Timestamp

    var span: Range<Timestamp> { startsAt..<endsAt }
}

extension Reservation: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        spaceID = try row["space_id"]
        siteID = try row["site_id"]
        startsAt = try row["starts_at"]
        endsAt = try row["ends_at"]
        status = try row["status"]
        holder = Holder(
            userID: try row["holder_user_id"], name: try row["holder_name"], email: try row["holder_email"],
            phone: try row["holder_phone"])
        note = try row["note"]
        requestID = try row["request_id"]
        expiresAt = try row["expires_at"]
        checkedInAt = try row["checked_in_at"]
        createdAt = try row["created_at"]
        updatedAt = try row["updated_at"]
    }
}

extension Reservation: PartlyLive, Audited {
    static let resourceType = "reservation"
    var tiedSite: UUID? { siteID }

    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("id", id)
            object.field("space_id", spaceID)
            object.field("site_id", siteID)
            object.field("starts_at", startsAt)
            object.field("ends_at", endsAt)
            object.field("status", status.rawValue)
            object.field("holder", holder)
            object.field("note", note)
            object.field("request_id", requestID)
            object.field("expires_at", expiresAt)
            object.field("checked_in_at", checkedInAt)
            object.field("created_at", createdAt)
            object.field("updated_at", updatedAt)
        }
    }

    func write(editedTo json: inout JSONWriter) {
        json.object { object in
            object.field("space_id", spaceID)
            object.field("starts_at", startsAt)
            object.field("ends_at", endsAt)
            object.field("status", status.rawValue)
            object.field("holder", holder)
            object.field("note", note)
            object.field("request_id", requestID)
        }
    }
}

extension Reservation.Holder: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("user_id", userID)
            object.field("name", name)
            object.field("email", email)
            object.field("phone", phone)
        }
    }
}
