import Shared

/// What events are about: the part of their type before the dot. Whoever may read such a resource may hear of it.
enum EventTopic: String, CaseIterable, Sendable {
    case site, space, device
    case orphanDevice = "orphan_device"
    case reservation, supplier, product, stock, vale
    case purchaseRequest = "purchase_request"
    case alert

    /// Nil for what is nobody's business but the audit log's.
    init?(of type: String) {
        self.init(rawValue: String(type.prefix { $0 != "." }))
    }

    var scope: Scope {
        switch self {
        case .site: .sitesRead
        case .space: .spacesRead
        case .device: .devicesRead
        case .orphanDevice: .orphanDevicesRead
        case .reservation: .reservationsRead
        case .supplier: .suppliersRead
        case .product: .productsRead
        case .stock: .stockMovementsRead
        case .vale: .valesRead
        case .purchaseRequest: .purchaseRequestsRead
        case .alert: .alertsRead
        }
    }
}
