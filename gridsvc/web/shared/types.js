// What travels between the service and the pages, as far as the pages read it. GET /openapi.json has all of it.

/** @typedef {"low" | "normal" | "high" | "emergency"} Severity */

/**
 * A case as the live feed tells it.
 * @typedef {object} Brief
 * @property {string} id
 * @property {string | null} number
 * @property {string | null} acceptance_number
 * @property {string} state
 * @property {Severity} severity
 * @property {string} category
 * @property {string} edition
 * @property {string} source
 * @property {number | null} lon
 * @property {number | null} lat
 * @property {string | null} cell
 * @property {string | null} division
 * @property {Record<string, string> | null} beats
 * @property {string} duty_line
 * @property {{id: string, name: string} | null} officer
 * @property {string | null} department
 * @property {string | null} pool
 * @property {string | null} due_at
 * @property {string | null} [since]
 * @property {boolean} provisional
 * @property {boolean} paused
 * @property {boolean} overdue
 * @property {boolean} warned
 * @property {boolean} exercise
 * @property {number} version
 * @property {string | null} assignment_id
 * @property {string} occurred_at
 * @property {string} updated_at
 */

/**
 * @typedef {object} Officer
 * @property {string} id
 * @property {string} name
 * @property {string | null} beat
 * @property {boolean} on_duty
 * @property {number | null} lon
 * @property {number | null} lat
 * @property {number | null} accuracy_m
 * @property {string | null} at
 * @property {number} open_cases
 */

/**
 * @typedef {object} Camera
 * @property {string} code
 * @property {string} name
 * @property {number} lon
 * @property {number} lat
 * @property {number | null} bearing_deg
 * @property {string} state
 * @property {string | null} heard_at
 */

/**
 * @typedef {object} Alarm
 * @property {string} id
 * @property {"emergency" | "escalation" | "camera_storm"} kind
 * @property {string | null} case
 * @property {string | null} camera
 * @property {string} severity
 * @property {Record<string, string>} says
 * @property {string} at
 * @property {{id: string, name: string, at: string} | null} acknowledged
 */

/**
 * @typedef {object} Snapshot
 * @property {string} epoch
 * @property {number} seq
 * @property {string} at
 * @property {Brief[]} cases
 * @property {Officer[]} officers
 * @property {Camera[]} cameras
 */

/**
 * A frame of the live feed.
 * @typedef {{type: "position", epoch: string, seq: number, recovered: boolean, at: string}
 *   | {type: "case", seq: number, at?: string, case: Brief}
 *   | {type: "gone", seq: number, kind: "case" | "officer" | "camera", id: string}
 *   | {type: "officer", seq: number, officer: Officer}
 *   | {type: "camera", seq: number, camera: Camera}
 *   | {type: "alarm", seq: number, alarm: Alarm}
 *   | {type: "review", seq: number, at?: string, review: ReviewNews}
 *   | {type: "heartbeat", seq: number, at: string}
 *   | {type: "resync", reason: string}} Frame
 */

/**
 * @typedef {object} Role
 * @property {string} role
 * @property {string} division
 * @property {string | null} department
 * @property {string | null} duty_line
 */

/**
 * @typedef {object} Person
 * @property {string} id
 * @property {string} username
 * @property {string} display_name
 * @property {Role[]} roles
 */

/**
 * @typedef {object} Division
 * @property {string} code
 * @property {string} name
 * @property {string} name_en
 * @property {string} level
 * @property {string | null} parent
 * @property {string[]} path
 */

/**
 * @typedef {object} Category
 * @property {string} ref
 * @property {string} edition
 * @property {string} code
 * @property {"component" | "event"} kind
 * @property {string} name
 * @property {string} name_en
 * @property {string} major_name
 * @property {string} major_name_en
 * @property {string} duty_line
 * @property {number} duplicate_radius_m
 * @property {number} duplicate_window_h
 * @property {{name: string, kind: string, choices: string[], required: boolean}[]} attributes
 * @property {{code: string, says: string, closing: string, is_default: boolean}[]} conditions
 */

/**
 * @typedef {object} Department
 * @property {string} code
 * @property {string} name
 * @property {string} name_en
 * @property {string} duty_line
 */

/**
 * One line of duty.
 * @typedef {object} DutyLine
 * @property {string} code
 * @property {string} name
 * @property {string} name_en
 */

/**
 * One row of the table of moves.
 * @typedef {object} MoveRule
 * @property {string} move
 * @property {string} says
 * @property {string[]} before
 * @property {string | null} after
 * @property {string[]} must_say
 * @property {string[]} may_say
 * @property {boolean} in_bulk
 * @property {{code: string, name: string, name_en: string, wants_words: boolean, active: boolean}[]} reasons
 * @property {{of: string, code: string, name: string, name_en: string}[]} results
 * @property {{field: string, code: string, name: string, name_en: string}[]} choices
 */

/**
 * A case as GET /api/v1/cases/{id} tells it.
 * @typedef {object} Case
 * @property {string} id
 * @property {string | null} number
 * @property {number} version
 * @property {number} cycle
 * @property {string} state
 * @property {boolean} suspended
 * @property {string} source
 * @property {string} category
 * @property {string} category_name
 * @property {string} category_name_en
 * @property {string} duty_line
 * @property {Severity} severity
 * @property {string} description
 * @property {string} address
 * @property {number | null} lon
 * @property {number | null} lat
 * @property {string[]} divisions
 * @property {string | null} cell
 * @property {string | null} method
 * @property {boolean} border
 * @property {string[]} neighbours
 * @property {string | null} beat
 * @property {string | null} pool
 * @property {string | null} assignment
 * @property {string | null} officer
 * @property {string | null} department
 * @property {string | null} due_at
 * @property {boolean} overdue
 * @property {string} occurred_at
 * @property {string} updated_at
 * @property {string | null} component
 * @property {string | null} held_by
 * @property {boolean} exercise
 * @property {Record<string, string>} attributes
 */

/**
 * @typedef {object} Clock
 * @property {string} id
 * @property {string} kind
 * @property {number} cycle
 * @property {string} state
 * @property {string} unit
 * @property {number} budget_s
 * @property {number} used_s
 * @property {string | null} calendar
 * @property {number | null} calendar_edition
 * @property {string} started_at
 * @property {string | null} stopped_at
 * @property {string} due_at
 * @property {boolean} provisional
 * @property {string | null} next_at
 * @property {{start: string, end: string, counted: boolean, why: string, name: string, seconds: number}[]} intervals
 * @property {{level: number, effect: string, fired_at: string}[]} fired
 */

/**
 * A photograph or voice note of a case; `used_before`: the same view served another case, or another purpose.
 * @typedef {object} Attachment
 * @property {string} id
 * @property {"picture" | "sound"} kind
 * @property {string | null} purpose
 * @property {string} uploaded_at
 * @property {string | null} removed_at
 * @property {{case: string | null, photo: string | null, purpose: string | null, distance: number, same_file: boolean}[]} used_before
 */

/**
 * @typedef {object} CaseDetail
 * @property {Case} case
 * @property {string[]} missing_attributes
 * @property {{amount: number, unit: string}} limit
 * @property {{code: string, name: string, level: string}[]} divisions
 * @property {{rule: string, reasons: Record<string, unknown>, assigned_by: string, assigned_at: string} | null} assignment
 * @property {Clock[]} clocks
 * @property {{id: string, acceptance_number: string, source: string, description: string, received_at: string}[]} reports
 * @property {Attachment[]} photos
 * @property {{department: string, wanted: string, due_at: string, ended_at: string | null}[]} parts
 * @property {{id: string, level: string, division: string, ended_at: string | null, report: string}[]} call_backs
 * @property {{id: string, number: string | null, state: string, description: string, distance_m: number}[]} duplicates
 * @property {{version: number, move: string, actor: string, at: string, doubts: string[]}[]} doubted
 * @property {string[]} moves
 */

/**
 * @typedef {object} HistoryRow
 * @property {number} version
 * @property {string} move
 * @property {string | null} from_state
 * @property {string} to_state
 * @property {string} actor
 * @property {string | null} actor_name
 * @property {string} at
 * @property {Record<string, unknown>} facts
 */

/**
 * @typedef {object} Routed
 * @property {string} id
 * @property {string | null} officer
 * @property {string | null} department
 * @property {string} rule
 * @property {string | null} rule_name
 * @property {string | null} rule_name_en
 * @property {number} edition
 * @property {Record<string, unknown>} reasons
 * @property {string} assigned_by
 * @property {string} assigned_at
 * @property {string | null} ended_at
 */

/**
 * @typedef {object} MapLayers
 * @property {[number, number, number, number]} bounds
 * @property {string} attribution
 * @property {Record<string, {version: string, minzoom: number, maxzoom: number}>} layers
 */

/**
 * A component of the register.
 * @typedef {object} Component
 * @property {string} code
 * @property {string} class
 * @property {string} name
 * @property {string} state
 * @property {string | null} owning
 * @property {boolean} owner_unknown
 * @property {string | null} maintaining
 * @property {number} lon
 * @property {number} lat
 * @property {string | null} cell
 */

/** @typedef {{component: Component, cases: {id: string, number: string | null, state: string, category: string}[]}} ComponentDetail */

/** A camera that sees a cell. @typedef {{camera: string, name: string, state: string, health: string, kind: string, share: number}} Watching */

/** @typedef {{type: string, coordinates: unknown}} Polygon */

/**
 * A picture of a camera; `image` and `thumb` are null unless it is kept.
 * @typedef {object} CameraPicture
 * @property {string} id
 * @property {string} received_at
 * @property {"waiting" | "kept" | "refused"} state
 * @property {string} reason
 * @property {string | null} image
 * @property {string | null} thumb
 */

/**
 * @typedef {object} Review
 * @property {string} id
 * @property {string} camera
 * @property {string} kind
 * @property {string} zone
 * @property {string} target
 * @property {string} why
 * @property {string | null} category
 * @property {number} lon
 * @property {number} lat
 * @property {string} cell
 * @property {string} division
 * @property {string} first_at
 * @property {string} last_at
 * @property {number} events
 * @property {string} opened_at
 * @property {CameraPicture[]} pictures the newest few
 */

/**
 * What the live feed tells of a review.
 * @typedef {object} ReviewNews
 * @property {string} id
 * @property {string} camera
 * @property {string} kind
 * @property {number} events
 * @property {string} opened_at
 * @property {string | null} verdict
 * @property {{id: string, name: string | null} | null} verdict_by
 */

/**
 * @typedef {object} Kind
 * @property {string} kind
 * @property {number} seen_real
 * @property {number} seen_false
 * @property {number | null} precision
 * @property {string | null} mute
 * @property {string | null} muted_at
 */

/**
 * @typedef {object} Standing
 * @property {string} camera
 * @property {string} health
 * @property {string | null} heard_at
 * @property {string | null} offline_since
 * @property {number | null} over
 * @property {Kind[]} kinds
 */

/**
 * @typedef {object} CameraDetail
 * @property {{name: string, lon: number, lat: number, bearing_deg: number, field_deg: number, far_m: number, protocol: string, vendor: string, model: string}} camera
 * @property {Polygon} field_of_view
 * @property {{kind: string, cell: string, share: number}[]} cells
 * @property {{id: number, kind: string, category: string | null, mode: string}[]} labels
 */

/**
 * @typedef {object} Silence
 * @property {string} id
 * @property {Record<string, string[]>} matchers
 * @property {string} author
 * @property {string | null} author_name
 * @property {string} reason
 * @property {string} since
 * @property {string} until
 */

/**
 * @typedef {object} Unmapped
 * @property {string} camera
 * @property {string} camera_name
 * @property {string} protocol
 * @property {string} kind
 * @property {string} zone
 * @property {string} target
 * @property {number} count
 * @property {string} last_at
 */

/**
 * An officer as GET /api/v1/officers tells him.
 * @typedef {object} OnDuty
 * @property {string} id
 * @property {boolean} there
 * @property {string | null} shift_until
 * @property {string | null} absent_until
 * @property {string[]} beats
 * @property {string[]} skills
 * @property {string[]} teams
 * @property {number} most_open
 * @property {number} load
 * @property {number} given_today
 */

/** @typedef {{officer: string, since: string, steps: {at: string, lon: number, lat: number, accuracy_m: number | null, mocked: boolean, jump: boolean}[]}} Trail */
/** @typedef {{id: string, display_name: string, there: boolean, open_cases: number, most_open: number, load: number}} TakesOver */
/** @typedef {{id: string, display_name: string, distance_m: number, age_s: number, there: boolean, open_cases: number, most_open: number}} Near */

/**
 * One shift of a patrol plan, with its cells.
 * @typedef {object} Patrol
 * @property {string} id
 * @property {string} duty_line
 * @property {string} beat
 * @property {string} from_at
 * @property {string} until_at
 * @property {number} times how often each cell is walked
 * @property {Record<string, number>} counts of cells by state
 * @property {number | null} coverage
 * @property {string[]} officers
 * @property {boolean} judged
 * @property {boolean} settled
 * @property {{cell: string, state: string, times: number}[]} cells
 */

/**
 * A visit with its case; `subject` is a key of the city's own.
 * @typedef {object} Visit
 * @property {string} id
 * @property {string} case_id
 * @property {string} state
 * @property {string} category_name
 * @property {string} category_name_en
 * @property {string} subject
 * @property {string} due_on
 * @property {string | null} due_at
 * @property {number} lon
 * @property {number} lat
 * @property {string | null} officer_name
 * @property {string} opened_at
 */

/** @typedef {{key: string, name: string, patrols: number, wanted: number, walked: number, unknown: number, missed: number, walked_by: number, coverage: number | null}} WalkedBy */

/**
 * An entry in the book of the shift.
 * @typedef {object} ShiftEntry
 * @property {string} id
 * @property {string} division
 * @property {boolean} hand_over
 * @property {string} words
 * @property {string[]} cases
 * @property {Record<string, number>} figures
 * @property {{id: string, name: string, at: string}} written
 * @property {{id: string, name: string, at: string} | null} taken
 */

export {};
