import Foundation
import Postgres
import Shared

/// Keeps the demo company's goods over the API, as people would: vales are handed out, some are given back, and what runs low is bought.
struct DemoKeeper: Sendable {
    /// Seconds between two dealings.
    static let interval = 8.0

    private struct Product: Decodable {
        let id, unit, stock, min_stock: String
    }

    private struct Line: Encodable {
        let product_id: String
        let quantity: Int
    }

    private struct Vale: Encodable {
        let site_id: String
        let lines: [Line]
        let requested_by, request_id: String
    }

    private struct Purchase: Encodable {
        let site_id: String
        let lines: [Line]
        let note, request_id: String
    }

    let demo: DemoFile

    func run() async throws {
        while true {
            // Whatever goes wrong: the API may be away, or the token too old.
            do { try await keepForAWhile() } catch is CancellationError { return } catch {}
            try await DemoFeed.pause(Self.interval)
        }
    }

    /// As long as one token lasts.
    private func keepForAWhile() async throws {
        guard let api = try await DemoAPI.signIn(demo),
            let warehouse = try await api.get("/sites/W01", as: DemoAPI.Thing.self)?.id
        else { return }
        for _ in 0..<80 {
            guard let products = try await api.get("/products?is_active=true", as: DemoAPI.List<Product>.self)?.data
            else { return }
            if let low = products.first(where: { (Double($0.stock) ?? 0) <= (Double($0.min_stock) ?? 0) }),
                Bool.random()
            {
                try await buy(low, for: warehouse, api)
            } else {
                try await handOut(products, at: warehouse, api)
            }
            try await DemoFeed.pause(Self.interval * .random(in: 0.5...1.5))
        }
    }

    private func handOut(_ products: [Product], at site: String, _ api: DemoAPI) async throws {
        let lines = products.shuffled().prefix(.random(in: 1...3)).map {
            Line(product_id: $0.id, quantity: .random(in: 1...4))
        }
        let store = Onboarding.codes(DemoPlaces.storeCount).randomElement()?.rawValue ?? ""
        let vale = Vale(
            site_id: site, lines: lines, requested_by: "Store \(store)", request_id: UUID.v7().lowercaseString)
        // There may be too little.
        guard let made = try await api.post("/vales", vale, as: DemoAPI.Thing.self) else { return }
        _ = try await api.post("/vales/\(made.id)/\(Int.random(in: 0..<5) == 0 ? "cancel" : "deliver")")
    }

    private func buy(_ product: Product, for site: String, _ api: DemoAPI) async throws {
        let lines = [Line(product_id: product.id, quantity: 3 * Int((Double(product.min_stock) ?? 10).rounded(.up)))]
        let wish = Purchase(site_id: site, lines: lines, note: "Runs low", request_id: UUID.v7().lowercaseString)
        guard let made = try await api.post("/purchase-requests", wish, as: DemoAPI.Thing.self) else { return }
        for step in ["submit", "approve", "receive"] { _ = try await api.post("/purchase-requests/\(made.id)/\(step)") }
    }
}
