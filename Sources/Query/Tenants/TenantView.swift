import Shared

/// A tenant as every member sees it.
struct TenantView: JSONWritable {
    let tenant: Tenant
    let name: String

    func write(to json: inout JSONWriter) {
        json.object { write(fieldsOf: &$0) }
    }

    func write(fieldsOf object: inout JSONWriter) {
        object.field("id", tenant.uuid)
        object.field("slug", tenant.slug)
        object.field("name", name)
        object.field("plan", tenant.plan.rawValue)
    }
}
