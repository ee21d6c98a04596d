/// Nobody knows when it will be done, or whether it has been: its time is over.
package struct Overdue: Error {
    package init() {}
}

extension Duration {
    /// What `work` returns, if it does within this time; else it goes on alone, so it must do no harm.
    /// - Throws: ``Overdue``, or what `work` throws.
    package func orOverdue<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value
    {
        try await withCheckedThrowingContinuation { waiting in
            let answer = OneAnswer(waiting)
            let timer = Task {
                try? await Task.sleep(for: self) // cancelled, there is an answer
                answer.give(.failure(Overdue()))
            }
            Task {
                do {
                    answer.give(.success(try await work()))
                } catch {
                    answer.give(.failure(error))
                }
                timer.cancel()
            }
        }
    }
}
