import Postgres
import Shared
import Testing

@testable import Query

/// Every state × action × role, own and other: what becomes of it.
@Suite struct PurchaseStepTests {
    private typealias Status = PurchaseRequest.Status

    /// In the order of ``statuses``. The new status; `=` where it is so already, `!` where the state forbids it. Whoever lacks the scope is
    /// refused before that.
    private static let table: [PurchaseStep: [String]] = [
        .change: ["draft", "!", "!", "!", "!", "!"],
        .submit: ["submitted", "=", "!", "!", "!", "!"],
        .approve: ["!", "approved", "=", "!", "!", "!"],
        .reject: ["!", "rejected", "!", "=", "!", "!"],
        .receive: ["!", "!", "approved", "!", "=", "!"],
        .cancel: ["cancelled", "cancelled", "cancelled", "!", "!", "="],
        .delete: ["draft", "!", "!", "rejected", "!", "cancelled"],
    ]
    private static let statuses: [Status] = [.draft, .submitted, .approved, .rejected, .received, .cancelled]

    /// Who may do it at all.
    private static func mayTry(_ step: PurchaseStep, _ role: Role) -> Bool {
        switch (step, role) {
        case (_, .viewer): false
        case (.approve, .operator), (.reject, .operator): false
        default: true
        }
    }

    @Test(arguments: PurchaseStep.allCases, Role.allCases)
    func isTheTable(step: PurchaseStep, role: Role) throws {
        #expect(Set(Self.statuses) == Set(Status.allCases))
        for (status, expected) in zip(Self.statuses, try #require(Self.table[step])) {
            for isRequester in [false, true] {
                let asker = PurchaseStep.Asker(scopes: role.scopes, isOwner: role == .owner, isRequester: isRequester)
                let result = Result { () throws(PurchaseStep.Refusal) in try step.apply(to: status, by: asker) }
                let wanted: Result<Status?, PurchaseStep.Refusal> =
                    switch expected {
                    case _ where !Self.mayTry(step, role): .failure(.notAllowed)
                    case "!": .failure(.status(status))
                    case "=": .success(nil)
                    case "approved" where step == .approve && isRequester && role != .owner: .failure(.ownRequest)
                    default: .success(Status(rawValue: expected))
                    }
                #expect(result == wanted, "\(step) \(status) as \(role), own: \(isRequester)")
            }
        }
    }

    @Test func theLastReceiptCompletes() throws {
        let asker = PurchaseStep.Asker(scopes: Role.operator.scopes, isOwner: false, isRequester: false)
        #expect(try PurchaseStep.receive.apply(to: .approved, by: asker, completes: true) == .received)
    }

    @Test func totalsAreExact() {
        func total(_ lines: [(String, String)]) -> String? {
            PurchaseRequest.total(lines.map { (Quantity($0.0) ?? .zero, Money($0.1) ?? .zero) })?.text
        }
        #expect(total([]) == "0.00")
        #expect(total([("3", "0.10"), ("0.5", "0.01")]) == "0.31", "halves upwards")
        #expect(total([("0.333", "10.00"), ("1", "0.01")]) == "3.34")
        #expect(total([("99999999999.999", "1.00")]) == "100000000000.00")
        #expect(total([("99999999999.999", "999999999999.99")]) == nil)
    }
}
