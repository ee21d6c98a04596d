import Shared
import Testing

struct BodyBudgetTests {
    @Test func whatIsHeldIsBoundedAndGivenBack() throws {
        let budget = BodyBudget(limit: 100)
        let first = budget.lease()
        try first.take(60)
        do {
            let second = budget.lease()
            try second.take(40)
            let problem = #expect(throws: Problem.self) { try second.take(1) }
            #expect(problem?.code == "overloaded")
            #expect(budget.heldBytes == 101, "what was refused is still there until its request ends")
        }
        #expect(budget.heldBytes == 60)
        let third = budget.lease()
        try third.take(40)
        withExtendedLifetime((first, third)) {}
    }
}
