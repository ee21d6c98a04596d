import Foundation
import Hummingbird
import Postgres
import Shared

extension TenantContext {
    /// The path's `:id`. What isn't an id names nothing, so the answer is 404 as for one that doesn't exist.
    func id(_ thing: String) throws -> UUID {
        guard let id = parameters.get("id", as: UUID.self) else { throw Problem.notFound(thing) }
        return id
    }

    /// The path's `:eui`.
    func deviceEUI(_ thing: String) throws -> DeviceEUI {
        guard let eui = parameters.get("eui").flatMap({ DeviceEUI($0) }) else { throw Problem.notFound(thing) }
        return eui
    }
}

extension TenantContext {
    /// The path's `:site`, by id or code.
    var site: References {
        get throws { References([try parameters.require("site")]) }
    }
}

extension Database {
    /// The row that was asked for.
    /// - Throws: `Problem` 404.
    func found<Row>(_ scope: some TenantScoped, _ statement: Statement<Row>, _ thing: String) async throws -> Row {
        guard let row = try await read(scope, statement).first else { throw Problem.notFound(thing) }
        return row
    }
}
