import HTTPTypes
import Support

/// Goods, and what is told of them.
extension AccessRow {
    /// It names a site that whoever is limited to T02 does not know.
    private var unknownSite: AccessRow {
        var row = self
        row.limited = .unprocessableContent
        return row
    }

    private static let newLine = "[{\"product_id\":\"\(TwoTenants.product)\",\"quantity\":1}]"

    static let goods: [AccessRow] = catalogue + stock + vales + purchases + events

    private static let catalogue: [AccessRow] = [
        row("suppliers", "suppliers"),
        row("suppliers/:id", "suppliers/\(TwoTenants.supplier)", foreign: "suppliers/\(TwoTenants.southernSupplier)"),
        change(.post, "suppliers", "suppliers", "{\"name\":\"N\"}", answers: .created).everywhere,
        change(
            .patch, "suppliers/:id", "suppliers/\(TwoTenants.supplier)", "{\"lead_time_days\":3}",
            foreign: "suppliers/\(TwoTenants.southernSupplier)"
        ).everywhere,
        change(
            .put, "suppliers/:id", "suppliers/\(TwoTenants.supplier)", "{\"name\":\"N\"}",
            foreign: "suppliers/\(TwoTenants.southernSupplier)"
        ).everywhere,
        change(
            .delete, "suppliers/:id", "suppliers/\(TwoTenants.unusedSupplier)", answers: .noContent,
            foreign: "suppliers/\(TwoTenants.southernSupplier)"
        ).everywhere,
        row("products", "products"),
        row("products/:id", "products/\(TwoTenants.product)", foreign: "products/\(TwoTenants.southernProduct)"),
        change(
            .post, "products", "products",
            "{\"sku\":\"S\",\"name\":\"N\",\"unit\":\"kg\",\"price\":\"1.20\",\"currency\":\"EUR\"}", answers: .created
        ).everywhere,
        change(
            .patch, "products/:id", "products/\(TwoTenants.product)", "{\"min_stock\":\"1\"}",
            foreign: "products/\(TwoTenants.southernProduct)"
        ).everywhere,
        change(
            .put, "products/:id", "products/\(TwoTenants.product)",
            "{\"sku\":\"SKU-03\",\"name\":\"N\",\"unit\":\"kg\",\"price\":\"1.20\",\"currency\":\"EUR\"}",
            foreign: "products/\(TwoTenants.southernProduct)"
        ).everywhere,
        change(
            .delete, "products/:id", "products/\(TwoTenants.unusedProduct)", answers: .noContent,
            foreign: "products/\(TwoTenants.southernProduct)"
        ).everywhere,
    ]

    private static let stock: [AccessRow] = [
        row("stock-levels", "stock-levels"),
        row("stock-movements", "stock-movements"),
        row("stock-movements/low-stock", "stock-movements/low-stock"),
        row(
            "stock-movements/:id", "stock-movements/\(TwoTenants.movement)",
            foreign: "stock-movements/\(TwoTenants.southernMovement)"
        ).elsewhere,
        change(
            .post, "stock-movements", "stock-movements",
            """
            {"product_id":"\(TwoTenants.product)","site_id":"\(TwoTenants.t02)","kind":"receipt","quantity":"1.5"}
            """, answers: .created),
        row(
            "stock-transfers/:id", "stock-transfers/\(TwoTenants.transfer)",
            foreign: "stock-transfers/\(TwoTenants.southernTransfer)"
        ).elsewhere,
        change(
            .post, "stock-transfers", "stock-transfers",
            """
            {"product_id":"\(TwoTenants.product)","from_site_id":"\(TwoTenants.t02)","to_site_id":"\(TwoTenants.t01)","quantity":1}
            """, answers: .created
        ).unknownSite,
    ]

    private static let vales: [AccessRow] = [
        row("vales", "vales"),
        row("vales/:id", "vales/\(TwoTenants.vale)", foreign: "vales/\(TwoTenants.southernVale)").elsewhere,
        change(
            .post, "vales", "vales", "{\"site_id\":\"\(TwoTenants.t02)\",\"lines\":\(newLine)}", answers: .created),
        change(
            .patch, "vales/:id", "vales/\(TwoTenants.vale)", "{\"note\":\"N\"}",
            foreign: "vales/\(TwoTenants.southernVale)"
        ).elsewhere,
        change(
            .put, "vales/:id", "vales/\(TwoTenants.vale)",
            "{\"site_id\":\"\(TwoTenants.t01)\",\"lines\":\(newLine)}", foreign: "vales/\(TwoTenants.southernVale)"
        ).elsewhere,
        change(
            .post, "vales/:id/deliver", "vales/\(TwoTenants.vale)/deliver",
            foreign: "vales/\(TwoTenants.southernVale)/deliver"
        ).elsewhere,
        change(
            .post, "vales/:id/cancel", "vales/\(TwoTenants.secondVale)/cancel",
            foreign: "vales/\(TwoTenants.southernVale)/cancel"
        ).elsewhere,
        change(
            .delete, "vales/:id", "vales/\(TwoTenants.thirdVale)", answers: .noContent,
            foreign: "vales/\(TwoTenants.southernVale)"
        ).elsewhere,
    ]

    private static func purchase(
        _ method: HTTPRequest.Method, _ step: String, of id: String = "\(TwoTenants.purchase)", _ body: String = "",
        answers success: HTTPResponse.Status = .ok
    ) -> AccessRow {
        change(
            method, "purchase-requests/:id\(step)", "purchase-requests/\(id)\(step)", body, answers: success,
            foreign: "purchase-requests/\(TwoTenants.southernPurchase)\(step)"
        ).elsewhere
    }

    private static let purchases: [AccessRow] = [
        row("purchase-requests", "purchase-requests"),
        row(
            "purchase-requests/:id", "purchase-requests/\(TwoTenants.purchase)",
            foreign: "purchase-requests/\(TwoTenants.southernPurchase)"
        ).elsewhere,
        change(
            .post, "purchase-requests", "purchase-requests",
            "{\"site_id\":\"\(TwoTenants.t02)\",\"lines\":\(newLine)}", answers: .created),
        purchase(.patch, "", "{\"note\":\"N\"}"),
        purchase(.put, "", "{\"site_id\":\"\(TwoTenants.t01)\",\"lines\":\(newLine)}"),
        purchase(.post, "/submit"),
        purchase(.post, "/approve"),
        purchase(.post, "/receive"),
        purchase(.post, "/reject", of: "\(TwoTenants.submittedPurchase)", "{\"reason\":\"Too dear\"}"),
        purchase(.post, "/cancel", of: "\(TwoTenants.secondPurchase)"),
        purchase(.delete, "", of: "\(TwoTenants.thirdPurchase)", answers: .noContent),
    ]

    private static let events: [AccessRow] = [
        row("events", "events"),
        row("events/:id", "events/\(TwoTenants.event)", foreign: "events/\(TwoTenants.southernEvent)"),
        row("events/stream", "events/stream?follow=false"),
    ]
}
