"""The batch endpoint as one would write it with FastAPI and asyncpg: a row per sample, committed before the answer.

The same job as POST /v1/metrics/batch in short: the key by its SHA-256, the series from a cache, resent samples dropped. INSERT says
how rows are inserted: `executemany`, as most would, or `unnest`, which is a statement a batch and tells what was stored.
"""

import hashlib
import json
import os
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel


class Metric(BaseModel):
    name: str
    value: float
    ts: int  # milliseconds since the Unix epoch
    labels: dict[str, str] = {}


class Batch(BaseModel):
    metrics: list[Metric]


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=16, max_size=16)
    app.state.stores = {}
    app.state.series = {}
    yield
    await app.state.pool.close()


app = FastAPI(lifespan=lifespan)


async def store_of(authorization: str) -> int:
    digest = hashlib.sha256(authorization.removeprefix("Bearer ").encode()).digest()
    store = app.state.stores.get(digest)
    if store is None:
        store = await app.state.pool.fetchval("SELECT store_id FROM keys WHERE sha256 = $1", digest)
        if store is None:
            raise HTTPException(401)
        app.state.stores[digest] = store
    return store


async def series_of(store: int, metrics: list[Metric]) -> list[int]:
    keys = [(store, metric.name, *sorted(metric.labels.items())) for metric in metrics]
    new = {key: metric for key, metric in zip(keys, metrics) if key not in app.state.series}
    if new:
        rows = await app.state.pool.fetch(
            """
            INSERT INTO series (store_id, metric, labels) SELECT $1, * FROM unnest($2::text[], $3::text[])
            ON CONFLICT (store_id, metric, labels) DO UPDATE SET metric = excluded.metric RETURNING metric, labels, id
            """,
            store, [metric.name for metric in new.values()], [labels_of(metric) for metric in new.values()],
        )
        ids = {(row["metric"], row["labels"]): row["id"] for row in rows}
        app.state.series |= {key: ids[metric.name, labels_of(metric)] for key, metric in new.items()}
    return [app.state.series[key] for key in keys]


def labels_of(metric: Metric) -> str:
    return json.dumps(metric.labels, sort_keys=True)


@app.get("/ready")
async def ready():
    return {"status": "ready"}


async def insert_row_by_row(ids: list[int], metrics: list[Metric]):
    rows = [(id, metric.ts, metric.value) for id, metric in zip(ids, metrics)]
    await app.state.pool.executemany(
        "INSERT INTO samples (series_id, ts, value) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", rows
    )
    return {"status": "success", "processed": len(ids)}


@app.post("/v1/metrics/batch")
async def take(batch: Batch, authorization: str = Header()):
    store = await store_of(authorization)
    ids = await series_of(store, batch.metrics)
    if os.environ["INSERT"] == "executemany":
        return await insert_row_by_row(ids, batch.metrics)
    status = await app.state.pool.execute(
        """
        INSERT INTO samples (series_id, ts, value) SELECT * FROM unnest($1::int[], $2::bigint[], $3::float8[])
        ON CONFLICT DO NOTHING
        """,
        ids, [metric.ts for metric in batch.metrics], [metric.value for metric in batch.metrics],
    )
    stored = int(status.split()[-1])
    return {"status": "success", "processed": len(ids), "stored": stored, "duplicates": len(ids) - stored}
