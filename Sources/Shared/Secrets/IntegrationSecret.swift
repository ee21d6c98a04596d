import Foundation

/// A secret of an integration as it lies in `integration_secrets`.
package enum IntegrationSecret {
    /// What a sealed secret is bound to: moved to another row, it does not open.
    package static func context(_ id: UUID) -> String {
        "integration_secrets/\(id.uuidString.lowercased())"
    }
}
