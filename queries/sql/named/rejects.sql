-- What was not understood, by reason.
SELECT kind, reason, COUNT(*) AS records, MIN(source_uri) AS first_uri, MIN(id) AS first_id
FROM rejects
GROUP BY kind, reason
ORDER BY records DESC, first_id
