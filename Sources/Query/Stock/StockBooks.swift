import Foundation
import Postgres
import Shared

/// What was found when levels were locked.
struct StockBooks: Sendable {
    /// Where something is wanted of a place, to say so to the client.
    struct Wish: Sendable {
        let place: StockPlace
        /// What is to be taken away; zero or less where goods come.
        let taken: Quantity
        /// Of the body: `lines[0].product_id`.
        let field: String
    }

    private let sites: Set<UUID>
    private let products: [UUID: HeldProduct]
    private let levels: [StockPlace: Quantity]

    init(sites: Set<UUID>, products: [HeldProduct], levels: [HeldLevel]) {
        self.sites = sites
        self.products = Dictionary(products.map { ($0.id, $0) }) { first, _ in first }
        self.levels = Dictionary(levels.map { ($0.place, $0.quantity) }) { first, _ in first }
    }

    func level(at place: StockPlace) -> Quantity { levels[place] ?? .zero }

    /// - Throws: `Problem` 422 for a site that isn't there, or isn't for this member to see.
    func checkSite(_ id: UUID, field: String = "site_id") throws {
        guard sites.contains(id) else { throw Problem.unknown(field, "site") }
    }

    /// - Parameter mustBeActive: what is new has to be of today's range; what is only moved or counted need not be.
    /// - Throws: `Problem` 422 that names each at fault.
    func products(
        _ wanted: [(id: UUID, field: String)], mustBeActive: Bool
    ) throws -> [HeldProduct] {
        var faults: [Problem.FieldError] = []
        let found = wanted.compactMap { one -> HeldProduct? in
            guard let product = products[one.id] else {
                faults.append(.init(field: one.field, code: "unknown", detail: "There is no such product."))
                return nil
            }
            if mustBeActive, !product.isActive {
                faults.append(.init(field: one.field, code: "inactive", detail: "\(product.name) is no longer in use."))
            }
            return product
        }
        guard faults.isEmpty else { throw Problem.unprocessable(faults) }
        return found
    }

    /// - Throws: `Problem` 409 `insufficient_stock` that names each product of which there is too little, with what is there; 422 for more
    ///   than can be kept.
    func check(_ wishes: [Wish]) throws {
        let short = wishes.filter { $0.taken > level(at: $0.place) }
        guard short.isEmpty else {
            var problem = Problem.conflict(
                "insufficient_stock", detail: "There is not enough of \(short.count) of the products.")
            problem.members["short"] = short.map { wish in
                let product = products[wish.place.productID]
                return [
                    "product_id": wish.place.productID.lowercaseString, "site_id": wish.place.siteID.lowercaseString,
                    "sku": product?.sku ?? "", "name": product?.name ?? "",
                    "available": level(at: wish.place).shortText, "requested": wish.taken.shortText,
                ]
            }
            problem.errors = short.map { wish in
                let there = level(at: wish.place).shortText
                return .init(
                    field: wish.field, code: "insufficient_stock",
                    detail:
                        "\(products[wish.place.productID]?.name ?? "It"): \(there) there, \(wish.taken.shortText) wanted."
                )
            }
            throw problem
        }
        if let full = wishes.first(where: { level(at: $0.place).adding(-$0.taken) == nil }) {
            throw Problem.unprocessable([
                .init(field: full.field, code: "out_of_range", detail: "No site keeps so much of one product.")
            ])
        }
    }
}
