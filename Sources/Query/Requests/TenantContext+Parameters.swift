import Foundation
import Hummingbird
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
