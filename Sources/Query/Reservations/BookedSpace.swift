import Foundation
import Postgres
import Shared

/// A space that is being booked: locked, so that bookings of one space take turns and it stays as it is.
struct BookedSpace: RowDecodable {
    let isBookable: Bool
    /// Whether both ends lie inside opening hours.
    let admits: Bool

    init(_ row: Row) throws {
        isBookable = try row["is_bookable"]
        admits = try row["admits"]
    }

    static func lock(_ id: UUID, for span: Range<Timestamp>, in scope: TenantScope) -> Statement<BookedSpace> {
        """
        SELECT sp.is_bookable, admits_stay(sp.opening_hours, si.timezone, \(span.lowerBound), \(span.upperBound)) AS admits
          FROM spaces sp
          JOIN sites si ON si.tenant_id = sp.tenant_id AND si.id = sp.site_id AND si.deleted_at IS NULL
         WHERE sp.tenant_id = \(scope.tenantID) AND sp.deleted_at IS NULL AND \(scope.sees(site: "sp.site_id")) AND sp.id = \(id)
           FOR NO KEY UPDATE OF sp
        """
    }

    /// - Throws: `Problem` 422.
    func check() throws {
        guard isBookable else {
            throw Problem.unprocessable([
                .init(field: "space_id", code: "not_bookable", detail: "This space can't be booked.")
            ])
        }
        guard admits else {
            throw Problem.unprocessable([
                .init(
                    field: "starts_at", code: "outside_opening_hours",
                    detail: "The start and the end must lie inside opening hours.")
            ])
        }
    }
}

/// A member who holds a reservation, as the tenant knows them.
struct KnownHolder: RowDecodable {
    let name, email: String

    init(_ row: Row) throws {
        name = try row["name"]
        email = try row["email"]
    }

    static func find(_ user: UUID, in tenant: TenantID) -> Statement<KnownHolder> {
        """
        SELECT u.name, u.email FROM memberships m JOIN users u ON u.id = m.user_id
         WHERE m.tenant_id = \(tenant) AND m.user_id = \(user)
        """
    }
}

extension ReservationFields {
    /// - Throws: `Problem` 422 for somebody who is no member, or nobody.
    func holder(_ context: TenantContext, in tx: TenantTransaction) async throws -> Reservation.Holder {
        guard let user = holder?.userID ?? (holder == nil ? context.principal.personID : nil) else {
            guard let name = holder?.name else {
                throw Problem.unprocessable([
                    .init(field: "holder", code: "required", detail: "A program must say who holds it.")
                ])
            }
            return .init(userID: nil, name: name, email: holder?.email, phone: holder?.phone)
        }
        // Who is a member, and by what name, is for those to know who may know members.
        let mayKnow = user == context.principal.personID || context.principal.holds(.usersRead)
        guard mayKnow, let known = try await tx.first(KnownHolder.find(user, in: tx.tenantID)) else {
            throw Problem.unknown("holder.user_id", "member")
        }
        return .init(
            userID: user, name: holder?.name ?? known.name, email: holder?.email ?? known.email, phone: holder?.phone)
    }
}
