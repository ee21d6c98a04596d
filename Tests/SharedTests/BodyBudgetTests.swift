import Shared
import Testing

struct BodyBudgetTests {
    @Test func whatIsHeldIsBoundedAndGivenBack() throws {
        let budget = BodyBudget(limit: 100)
        let first = budget.lease(of: nil)
        try first.take(60)
        do {
            let second = budget.lease(of: nil)
            try second.take(40)
            let problem = #expect(throws: Problem.self) { try second.take(1) }
            #expect(problem?.code == "overloaded")
            #expect(budget.heldBytes == 101, "what was refused is still there until its request ends")
        }
        #expect(budget.heldBytes == 60)
        let third = budget.lease(of: nil)
        try third.take(40)
        withExtendedLifetime((first, third)) {}
    }

    /// One tenant's slow bodies leave room for another's.
    @Test func aTenantHasItsShare() throws {
        let budget = BodyBudget(limit: 100)
        let first = budget.lease(of: TenantID(1))
        try first.take(50)
        do {
            let second = budget.lease(of: TenantID(1))
            let problem = #expect(throws: Problem.self) { try second.take(1) }
            #expect(problem?.code == "beyond_share")
            let other = budget.lease(of: TenantID(2))
            try other.take(20)
        }
        #expect(budget.heldBytes == 50)
        withExtendedLifetime(first) {}
    }
}
