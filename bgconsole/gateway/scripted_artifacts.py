"""S3's artifact bucket over a scripted world."""

from __future__ import annotations

from dataclasses import dataclass

from bgconsole.domain.artifacts import Bucket, Held
from bgconsole.domain.errors import NotThere, Rejected
from bgconsole.gateway.port import Submitted
from bgconsole.gateway.scripted_world import ScriptedWorld


@dataclass(frozen=True, slots=True)
class ScriptedArtifacts:
    """The `Artifacts` port."""

    world: ScriptedWorld

    def url(self, bucket: str, key: str) -> str:
        """As AWS's are."""
        return f"https://s3.{self.world.place.region}.amazonaws.com/{bucket}/{key}"

    def look(self, bucket: Bucket, prefix: str) -> Held:
        """What the world's bucket holds."""
        self.world.enter("artifacts.look", bucket=bucket.name, prefix=prefix)
        with self.world.lock:
            objects = self.world.buckets.get(bucket.name)
            if objects is None:
                return Held(bucket)
            keys = frozenset(key for key in objects if key.startswith(prefix))
            ours = bucket.name in self.world.buckets_of_ours
            return Held(bucket, True, ours, keys, others=bool(objects.keys() - keys))

    def make(self, bucket: Bucket, *, create: bool) -> Submitted:
        """An empty bucket, or the tag of one that is there."""
        self.world.enter("artifacts.make", bucket=bucket.name, create=create)
        with self.world.lock:
            self.world.buckets.setdefault(bucket.name, {})
            self.world.buckets_of_ours.add(bucket.name)
        return self._answer()

    def put(self, bucket: Bucket, key: str, body: str) -> Submitted:
        """Keep an object."""
        self.world.enter("artifacts.put", bucket=bucket.name, key=key)
        with self.world.lock:
            self._objects(bucket)[key] = body
        return self._answer()

    def remove(self, bucket: Bucket, key: str) -> Submitted:
        """Forget an object; one that is not there is fine."""
        self.world.enter("artifacts.remove", bucket=bucket.name, key=key)
        with self.world.lock:
            self._objects(bucket).pop(key, None)
        return self._answer()

    def drop(self, bucket: Bucket) -> Submitted:
        """Forget the bucket."""
        self.world.enter("artifacts.drop", bucket=bucket.name)
        with self.world.lock:
            if self._objects(bucket):
                words = f"bucket {bucket.name}: The bucket you tried to delete is not empty"
                raise Rejected("AWS refuses", words, code="BucketNotEmpty")
            del self.world.buckets[bucket.name]
        return self._answer()

    def _objects(self, bucket: Bucket) -> dict[str, str]:
        if bucket.name not in self.world.buckets:
            raise NotThere("No such bucket", bucket.name)
        return self.world.buckets[bucket.name]

    def _answer(self) -> Submitted:
        with self.world.lock:
            return Submitted(f"00000000-0000-4000-8000-{len(self.world.writes):012d}")
