import Hummingbird
import Postgres
import Shared

/// What the house does by itself. Its runs are of all tenants together, so it is told that and when they were, and nothing of what they did.
struct JobRoutes: Sendable {
    let database: Database
    /// Of what should happen soon.
    let interval: Duration

    func register(on api: TenantRoutes) {
        api.get("jobs", requires: .jobsRead, use: list)
        api.get("jobs/:name/runs", requires: .jobsRead, use: runs)
    }

    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<JobState> {
        let now = Timestamp.now()
        let states = try await database.withTenant(context) { tx in
            var states: [JobState] = []
            for job in JobKind.allCases {
                states.append(
                    JobState(
                        job: job, schedule: job.schedule(interval), now: now,
                        lastRun: try await tx.first(JobRun.page(job, before: nil, limit: 1)),
                        lastSuccessAt: try await tx.first(JobRun.lastSuccess(of: job))))
            }
            return states
        }
        return try PageAnswer(states, PageRequest<String>.everything(request, context), of: request, context) {
            $0.job.rawValue
        }
    }

    /// Newest first.
    @Sendable private func runs(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<JobRun> {
        guard let job = context.parameters.get("name").flatMap(JobKind.init(rawValue:)) else {
            throw Problem.notFound("job")
        }
        let page = try PageRequest<JobRun.Position>(request, tenant: context.tenant.uuid)
        let runs = try await database.read(context, JobRun.page(job, before: page.after, limit: page.fetchLimit))
        return try PageAnswer(runs, page, of: request, context) { $0.position }
    }
}

/// A job as it stands.
private struct JobState: JSONWritable {
    let job: JobKind
    let schedule: JobSchedule
    let now: Timestamp
    let lastRun: JobRun?
    let lastSuccessAt: Timestamp?

    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("name", job.rawValue)
            object.field("schedule", schedule.words)
            object.field("last_run", lastRun)
            object.field("last_success_at", lastSuccessAt)
            object.field("next_due_at", schedule.next(after: now))
        }
    }
}
