// Every page of the app. Each puts itself into the table of `shell.js` when it is loaded; a new one is a line here.
import "./report.js";
import "./outboxpage.js";
import "./mypage.js";
import "./home.js";
import "./task.js";
import "./notices.js";
import "./selfhandled.js";
import "./patrol.js";
import "./visits.js";
