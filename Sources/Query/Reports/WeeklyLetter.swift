import Foundation
import Postgres
import Shared

/// A weekly report as people read it.
struct WeeklyLetter: Sendable {
    private struct Vales: Decodable {
        struct Product: Decodable {
            let sku, name, unit, quantity: String
        }

        let issued, delivered, cancelled: Int
        let value: [String: String]
        let top_products: [Product]
    }

    private struct Stock: Decodable {
        let products, low: Int
        let value: [String: String]
    }

    private struct Alerts: Decodable {
        let raised, resolved, open: Int
    }

    private struct Reservations: Decodable {
        let made, no_show: Int
    }

    private struct Ingest: Decodable {
        let uplinks, samples: Int
    }

    let subject: String
    let body: String

    init(_ report: WeeklyReport, of tenant: String) throws {
        let vales: Vales = try Self.part(report.vales)
        let stock: Stock = try Self.part(report.stock)
        let alerts: Alerts = try Self.part(report.alerts)
        let reservations: Reservations = try Self.part(report.reservations)
        let ingest: Ingest? = try report.ingest.map(Self.part)
        let until = report.week.to.adding(seconds: -1).rfc3339.prefix(10)
        subject = "Your week from \(report.week.day) to \(until): \(tenant)".cut(to: 200)
        var lines = [
            "\(tenant), \(report.week.day) to \(until) (UTC)", "",
            "Vales: \(vales.issued) issued, \(vales.delivered) delivered, \(vales.cancelled) cancelled.",
            "Value of what was issued: \(Self.money(vales.value)).",
        ]
        if !vales.top_products.isEmpty {
            lines.append("Taken most:")
            lines += vales.top_products.map { "  \($0.quantity) \($0.unit)  \($0.sku) \($0.name)" }
        }
        lines += [
            "", "Stock: \(stock.products) products, \(stock.low) of them low. Value: \(Self.money(stock.value)).",
            "Alerts: \(alerts.raised) raised, \(alerts.resolved) resolved, \(alerts.open) open now.",
            "Reservations: \(reservations.made) made, \(reservations.no_show) missed.",
        ]
        if let ingest {
            lines.append("Received: \(ingest.uplinks) uplinks, \(ingest.samples) samples.")
        }
        body = lines.joined(separator: "\n") + "\n"
    }

    private static func part<Part: Decodable>(_ document: JSONB) throws -> Part {
        try JSONDecoder().decode(Part.self, from: Data(document.text.utf8))
    }

    private static func money(_ values: [String: String]) -> String {
        values.isEmpty
            ? "none" : values.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }
}
