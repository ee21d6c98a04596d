import Foundation
import Postgres
import Shared

/// Issues vales and gives goods back: vale, lines and movements in one transaction.
struct Issuing: Sendable {
    let context: TenantContext
    let trail: AuditTrail

    private var ledger: Ledger { Ledger(scope: context.scope, actor: context.principal.actor) }

    /// - Throws: `Problem` 409 `insufficient_stock`, 422.
    func issue(_ wanted: ValeFields, key: String?, in tx: TenantTransaction) async throws -> Vale {
        let products = try await open(wanted, instead: [:], in: tx)
        let id = UUID.v7()
        let entries = Self.entries(from: [:], to: wanted.taken)
        try await tx.run(all: [
            Vale.insert(id, wanted, key: key, into: tx.tenantID),
            Vale.insertLines(of: id, wanted.lines, products, in: tx.tenantID),
            ledger.write(entries, .init(valeID: id)).command,
        ])
        let made = try await tx.written(Vale.find(id, in: context.scope))
        try await tx.run(trail.created(.valeCreated, made))
        return made
    }

    /// Takes and gives back the difference.
    ///
    /// - Parameter before: locked.
    /// - Throws: as ``issue(_:key:in:)``; 409 `invalid_status` for one that is final.
    func change(_ before: Vale, to wanted: ValeFields, in tx: TenantTransaction) async throws -> Vale {
        guard before.status == .issued else {
            throw Problem.conflict("invalid_status", detail: "This can't be changed: it is \(before.status.rawValue).")
        }
        let products = try await open(wanted, instead: before.taken, in: tx)
        let entries = Self.entries(from: before.taken, to: wanted.taken)
        try await tx.run(
            all: [
                Vale.update(before.id, wanted, in: tx.tenantID),
                Vale.deleteLines(of: before.id, except: wanted.lines.map(\.productID), in: tx.tenantID),
                Vale.insertLines(of: before.id, wanted.lines, products, in: tx.tenantID),
            ] + (entries.isEmpty ? [] : [ledger.write(entries, .init(valeID: before.id)).command]))
        let after = try await tx.written(Vale.find(before.id, in: context.scope))
        try await tx.run(trail.changed(.valeChanged, before, after))
        return after
    }

    /// What an issued one took comes back.
    ///
    /// - Parameter vale: locked.
    func giveBack(_ vale: Vale, in tx: TenantTransaction) async throws {
        let entries = Self.entries(from: vale.taken, to: [:])
        _ = try await ledger.open(Set(vale.taken.keys), in: tx)
        try await tx.run(all: [
            ledger.write(entries, .init(valeID: vale.id)).command, Vale.settle(vale.id, .cancelled, in: tx.tenantID),
        ])
    }

    /// Locks what is needed and holds the wish against it.
    ///
    /// - Parameter before: what was taken already, and counts as if it were there.
    private func open(
        _ wanted: ValeFields, instead before: [StockPlace: Quantity], in tx: TenantTransaction
    ) async throws -> [HeldProduct] {
        let taken = wanted.taken
        let books = try await ledger.open(Set(taken.keys).union(before.keys), in: tx)
        try books.checkSite(wanted.siteID)
        let known = Set(before.keys.map(\.productID))
        let lines = wanted.lines.map { (id: $0.productID, field: wanted.field(of: $0.productID)) }
        let products = try books.products(lines, mustBeActive: false)
        // What is on it already stays, also when the range changed.
        _ = try books.products(lines.filter { !known.contains($0.id) }, mustBeActive: true)
        let more = Dictionary(
            uniqueKeysWithValues: Self.differences(from: before, to: taken).map { ($0.place, $0.more) })
        // In the order of lines; what only comes back can't be short.
        try books.check(
            wanted.lines.compactMap { line in
                let place = StockPlace(productID: line.productID, siteID: wanted.siteID)
                return more[place].map { .init(place: place, taken: $0, field: wanted.field(of: line.productID)) }
            })
        return products
    }

    /// What is taken more, or less where negative; nothing where nothing changes.
    static func differences(
        from before: [StockPlace: Quantity], to after: [StockPlace: Quantity]
    ) -> [(place: StockPlace, more: Quantity)] {
        Set(before.keys).union(after.keys).compactMap { place in
            let more = Quantity(units: (after[place] ?? .zero).units - (before[place] ?? .zero).units)
            return more == .zero ? nil : (place, more)
        }
    }

    private static func entries(
        from before: [StockPlace: Quantity], to after: [StockPlace: Quantity]
    ) -> [Ledger.Entry] {
        differences(from: before, to: after).map { place, more in
            Ledger.Entry(place: place, quantity: -more, kind: more > .zero ? .vale : .valeReturn)
        }
    }
}
