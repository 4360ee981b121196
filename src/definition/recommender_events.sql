-- What create_events_view() adds to a recommender; the rules are those of
-- recommender_functions.sql.  ":event_rows" is a query of the rows of all sources,
-- of which src/admin/events_view.c has an example.

CREATE OR REPLACE VIEW :"schema".events WITH (security_invoker = true) AS
:event_rows;

COMMENT ON VIEW :"schema".events IS
'the rows of all sources of interactions: user, item, event, time, weight before decay, context and the relation they come from';

CREATE OR REPLACE VIEW :"schema".user_purchases WITH (security_invoker = true) AS
SELECT p.user_id, min(p.at) AS first_at, max(p.at) AS last_at,
	count(DISTINCT p.day)::integer AS purchases,
	count(DISTINCT p.day)::integer - 1 AS frequency,
	(max(p.day) - min(p.day))::double precision AS recency,
	(p.today - min(p.day))::double precision AS age
FROM (
	SELECT e.user_id, e.at, (now() AT TIME ZONE z.zone)::date AS today,
		-- a time in the future counts as now
		(least(e.at, now()) AT TIME ZONE z.zone)::date AS day
	FROM :"schema".events e
	CROSS JOIN (SELECT coalesce(d.options ->> 'context_timezone', 'UTC') AS zone FROM :"schema".definition d) z
	WHERE e.user_id IS NOT NULL AND isfinite(e.at) AND e.weight >= 0
		AND (e.event = ANY (ARRAY(
				SELECT jsonb_array_elements_text(coalesce(d.options -> 'seen_events', '["purchase"]'))
				FROM :"schema".definition d))
			-- in a source without events, every row is a purchase
			OR e.event IS NULL AND e.source = ANY (ARRAY(
				SELECT s.relation FROM :"schema".source s WHERE s.event_column IS NULL AND s.event IS NULL)))) p
GROUP BY p.user_id, p.today;

COMMENT ON VIEW :"schema".user_purchases IS
'the users who purchased: first and last time, days with purchases, and what models of purchasing are fitted on: repeat days, days from the first to the last one, days from the first one to now';

CREATE OR REPLACE FUNCTION :"schema".funnel(
	steps text[],
	within interval DEFAULT '7 days',
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	mode text DEFAULT 'ordered',
	same_item boolean DEFAULT false)
RETURNS SETOF recommender.funnel_step
LANGUAGE sql STABLE PARALLEL SAFE COST 1000000 ROWS 5
BEGIN ATOMIC
	-- the aggregate checks the arguments, also when there are no rows
	WITH argument AS (
		SELECT recommender.window_funnel('epoch'::timestamptz, funnel.within,
				CASE WHEN array_position(funnel.steps, NULL) IS NULL AND cardinality(funnel.steps) > 0
					THEN array_fill(false, ARRAY[cardinality(funnel.steps)]) ELSE '{}' END,
				funnel.mode) AS depth),
	-- for each name, which steps it is; "later" where no chain may start
	named AS (
		SELECT n.name,
			array_agg(n.name = s.name ORDER BY s.step) AS hits,
			array_agg(n.name = s.name AND s.step > 1 ORDER BY s.step) AS later
		FROM (SELECT DISTINCT u.name FROM unnest(funnel.steps) AS u(name)) n
		CROSS JOIN unnest(funnel.steps) WITH ORDINALITY AS s(name, step)
		GROUP BY n.name),
	-- of each user, or user and item: the deepest chain, and the depth of those
	-- that may still go on
	journey AS (
		SELECT recommender.window_funnel_times(r.at, funnel.within, r.steps, funnel.mode) AS times,
			recommender.window_funnel(r.at, funnel.within, r.steps, funnel.mode)
				FILTER (WHERE funnel.within IS NULL OR now() - r.at <= funnel.within) AS open_depth
		FROM (
			SELECT e.user_id, CASE WHEN funnel.same_item THEN e.item_id END AS item_id, e.at,
				CASE WHEN funnel.until IS NULL OR e.at < funnel.until THEN n.hits ELSE n.later END AS steps
			FROM :"schema".events e
			LEFT JOIN named n ON n.name = e.event
			WHERE e.user_id IS NOT NULL AND (e.item_id IS NOT NULL OR funnel.same_item IS NOT TRUE)
				AND e.at >= coalesce(funnel.since, '-infinity')
				-- an interval is compared as days of 24 hours and months of 30 days
				AND CASE WHEN NOT isfinite(e.at) THEN false
					WHEN funnel.until IS NULL OR funnel.within IS NULL OR e.at < funnel.until THEN true
					WHEN NOT isfinite(funnel.until) THEN false
					ELSE e.at - funnel.until <= funnel.within END) r
		GROUP BY r.user_id, r.item_id)
	SELECT s.step::integer, s.name,
		count(*) FILTER (WHERE cardinality(j.times) >= s.step),
		CASE WHEN s.step > 1 THEN
			count(*) FILTER (WHERE cardinality(j.times) >= s.step)::double precision
			/ nullif(count(*) FILTER (WHERE cardinality(j.times) >= s.step - 1), 0) END,
		count(*) FILTER (WHERE cardinality(j.times) >= s.step)::double precision
			/ nullif(count(*) FILTER (WHERE cardinality(j.times) >= 1), 0),
		count(*) FILTER (WHERE s.step > 1 AND cardinality(j.times) = s.step - 1 AND j.open_depth = s.step - 1),
		percentile_cont(0.5) WITHIN GROUP (ORDER BY j.times[s.step::integer] - j.times[s.step::integer - 1])
	FROM argument a
	LEFT JOIN unnest(funnel.steps) WITH ORDINALITY AS s(name, step) ON true
	LEFT JOIN journey j ON true
	WHERE a.depth = 0
	GROUP BY s.step, s.name
	ORDER BY s.step;
END;

COMMENT ON FUNCTION :"schema".funnel IS
'how many users go through events in this order within some time after the first one, how many may still do so, and what each step takes; since and until bound the first step';
