/// What a tenant bought. The one table of plans and their limits.
package enum Plan: String, CaseIterable, Sendable {
    case basic, premium, enterprise

    /// Stores that may be created; a tenant's own `max_stores` starts with this.
    package var maxStores: Int32 {
        switch self {
        case .basic: 30
        case .premium: 100
        case .enterprise: 10_000
        }
    }

    /// Euros a month; nil where it is a matter of contract.
    package var monthlyPrice: Int? {
        switch self {
        case .basic: 299
        case .premium: 599
        case .enterprise: nil
        }
    }

    /// Distinct series (metric and labels of one store or device) that a tenant may have.
    package var maxSeries: Int32 {
        switch self {
        case .basic: 20_000
        case .premium: 200_000
        case .enterprise: 5_000_000
        }
    }

    /// Days that samples are kept; older ones are refused at ingestion.
    package var retentionDays: Int64 {
        switch self {
        case .basic: 90
        case .premium: 400
        case .enterprise: 1_100
        }
    }

    /// Requests a second that ingest takes of a tenant, over all its keys and integrations; the burst is twice that.
    package var ingestRequestsPerSecond: Double {
        switch self {
        case .basic: 500
        case .premium: 5_000
        case .enterprise: 100_000
        }
    }

    /// Requests a second that ingest takes of one key or integration; the burst is twice that.
    package var ingestRequestsPerSecondAndKey: Double {
        switch self {
        case .basic: 100
        case .premium: 1_000
        case .enterprise: 100_000
        }
    }

    /// Requests a second that the API takes of a tenant, over all who ask; the burst is twice that.
    package var apiRequestsPerSecond: Double {
        switch self {
        case .basic: 100
        case .premium: 1_000
        case .enterprise: 100_000
        }
    }

    /// Requests a second that the API takes of one user or key; the burst is twice that.
    package var apiRequestsPerSecondAndPrincipal: Double {
        switch self {
        case .basic: 50
        case .premium: 200
        case .enterprise: 100_000
        }
    }

    /// Unknown devices of which uplinks are kept; beyond that the quietest is forgotten.
    package var maxOrphans: Int32 { 10_000 }

    /// Unknown devices a second that a tenant may bring; the burst is ten times that.
    package var newOrphansPerSecond: Double { 100 }

    /// Bodies kept in quarantine; beyond that the oldest is dropped.
    package var maxQuarantined: Int32 { 1_000 }
}
